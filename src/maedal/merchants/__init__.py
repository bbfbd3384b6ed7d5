"""Who sells: the merchant, its API key, and its channels (one contract with one PG each)."""
