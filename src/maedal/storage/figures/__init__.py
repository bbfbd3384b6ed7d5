"""What happened in each hour, counted once, and what each month came to, counted anew as it goes on.

Tables: figures, figures_counted, month_figures, months_counted.
Migrations: 0015, 0042.
"""
