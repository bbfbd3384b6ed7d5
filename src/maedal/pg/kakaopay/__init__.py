"""KakaoPay, current generation, top to bottom: `driver.py` builds and reads, `codes.py` says what errors prove."""
