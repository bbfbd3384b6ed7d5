"""The right to charge a customer again without them present: one key per (merchant, customer_uid)."""
