"""The hash chain over the logs: blocks of rows, each bound to the one before, and anchors outside the database."""
