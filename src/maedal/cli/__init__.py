"""The command line: `maedal --help`."""
