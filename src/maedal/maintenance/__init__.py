"""When a PG takes no charges: announced windows, its nights, and what its own answers say."""
