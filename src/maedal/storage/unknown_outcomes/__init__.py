"""Calls whose outcome nobody knows: looked at in turn, settled by a person. Their rows are those of attempts."""
