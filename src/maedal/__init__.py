"""maedal: a self-hosted recurring-payment gateway."""
