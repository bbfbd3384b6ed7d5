"""What is kept: `store.py` says what we need of any store, each subject has a folder. The only SQL is here."""
