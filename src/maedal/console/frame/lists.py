"""Pages of a list by their number, as an address names them."""

from __future__ import annotations

import re

from maedal.console.frame.visit import Visit

PAGES_MAX = 400


def page_number(visit: Visit) -> int:
    """Return which page an address asks for."""
    number = visit.request.query_params.get("page", "1")
    return min(int(number), PAGES_MAX) if re.fullmatch(r"[1-9][0-9]{0,5}", number) else 1
