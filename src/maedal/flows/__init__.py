"""What the gateway does, one file each: readable aloud, and knowing no HTTP, no SQL and no PG by name."""
