"""A wired gateway whose figures are read."""

from tests.flows.conftest import flows

__all__ = ["flows"]
