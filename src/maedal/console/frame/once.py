"""A form that is carried out once: it carries the id, sealed, under which its deed is kept."""

from __future__ import annotations

import base64

from maedal.console.frame.visit import Visit
from maedal.payments.errors import InvalidParameter


def draw(visit: Visit, deed: str) -> str:
    """Return, sealed for this session and this deed, the id under which a form's deed is kept."""
    return seal(visit, deed, visit.parts.ids.row(visit.parts.clock.now()))


def drawn(visit: Visit, deed: str) -> str:
    """Return the id that the form was given. Raises InvalidParameter for one of another deed or session."""
    return unseal(visit, deed, visit.value("drawn"))


def seal(visit: Visit, deed: str, text: str) -> str:
    """Return a text that comes back with a form as it was given."""
    return base64.urlsafe_b64encode(visit.parts.vault.seal(text, _context(visit, deed))).decode()


def unseal(visit: Visit, deed: str, sealed: str) -> str:
    """Return the text. Raises InvalidParameter for one that was sealed for something else."""
    try:
        return visit.parts.vault.open(base64.urlsafe_b64decode(sealed), _context(visit, deed))
    except Exception as error:  # of another deed or session, or changed
        raise InvalidParameter("drawn", "the form is too old; look again") from error


def sure(visit: Visit) -> None:
    """Raise InvalidParameter unless the person ticked that they mean it."""
    if visit.value("sure") != "on":
        raise InvalidParameter("sure", "tick the box first")


def _context(visit: Visit, deed: str) -> str:
    return f"console.once:{visit.present.session.id}:{deed}"
