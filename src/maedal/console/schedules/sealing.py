"""What a form about scheduled charges carries and nobody may change."""

from __future__ import annotations

import base64
from typing import Any

from maedal.console.frame.visit import Visit
from maedal.payments.errors import InvalidParameter


def seal_field(visit: Visit, text: str, purpose: str) -> str:
    """Return what a form carries and nobody may change, good in this session only."""
    return base64.urlsafe_b64encode(visit.services.vault.seal(text, _context(visit, purpose))).decode()


def open_field(visit: Visit, field: str, purpose: str) -> Any:
    """Return what `seal_field` gave. Raises InvalidParameter when it is of another form or session, or changed."""
    try:
        return visit.services.vault.open(base64.urlsafe_b64decode(visit.value(field)), _context(visit, purpose))
    except Exception as error:
        raise InvalidParameter(field, "the form is too old; look at the list again") from error


def _context(visit: Visit, purpose: str) -> str:
    return f"console.{purpose}:{visit.present.session.id}"
