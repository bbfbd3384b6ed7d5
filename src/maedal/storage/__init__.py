"""What is kept: `store.py` says what we need of any store; everything else here is the only SQL in maedal."""
