"""What the gateway asks itself: which work is open, and what must never be. It reads the rows of all others."""
