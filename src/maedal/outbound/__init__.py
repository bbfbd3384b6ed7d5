"""Calls to addresses that merchants gave us: hostile input, so everything goes through one guarded client."""
