"""The loops: webhooks, due schedules, lost attempts, unknown outcomes, expired windows, keys to end at the PG."""
