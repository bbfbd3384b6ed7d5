"""Who works with the console: users, what their role lets them do, how they sign in, and how long that lasts."""
