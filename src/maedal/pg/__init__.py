"""The doors to payment gateways: `driver.py` says what we need of any PG; each folder is one driver."""
