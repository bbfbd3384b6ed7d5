"""Proving that a commit outlives a failover, and entering what one has lost. Its rows are those of attempts."""
