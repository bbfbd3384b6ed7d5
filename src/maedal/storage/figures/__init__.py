"""What happened in each hour, counted once.

Tables: figures, figures_counted.
Migrations: 0015.
"""
