"""Plans: a charge that comes again every month (or week, or year) by itself; each occurrence is a scheduled charge."""
