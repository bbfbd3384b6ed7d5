"""The merchant's and operator's pages: they show what flows and queries give, and hold no rules."""
