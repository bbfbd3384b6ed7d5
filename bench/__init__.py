"""What a charge costs, as a ratio to a bare echo measured in the same run; see docs/performance.md."""
