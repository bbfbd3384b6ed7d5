"""`python -m maedal`: the command line, wherever the environment keeps its scripts."""

from maedal.cli.main import run

run()
