"""Who works with the console: operators, what their role lets them do, how they sign in, and how long that lasts."""
