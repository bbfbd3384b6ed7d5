"""One purchase the merchant asked for, whatever becomes of it: payment, attempt, money, the table of moves."""
