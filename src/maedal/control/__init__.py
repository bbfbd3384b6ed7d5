"""What scripts and tests may do to a `maedal dev`: make a merchant, move its webhooks, travel in time."""
