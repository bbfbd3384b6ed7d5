"""A form that is carried out once: it carries, sealed, the id under which its action is kept, and what it was shown."""

from __future__ import annotations

import base64

from maedal.console.frame.visit import Visit
from maedal.payments.errors import InvalidParameter


def new_form_id(visit: Visit, action: str) -> str:
    """Return, sealed for this session and this action, the id under which a form's action is kept."""
    return seal(visit, action, visit.services.ids.row(visit.services.clock.now()))


def form_id(visit: Visit, action: str) -> str:
    """Return the id that the form was given. Raises InvalidParameter for one of another action or session."""
    return unseal(visit, action)


def seal(visit: Visit, action: str, text: str) -> str:
    """Return what a form carries and nobody may change, good for this action in this session only."""
    return base64.urlsafe_b64encode(visit.services.vault.seal(text, _context(visit, action))).decode()


def unseal(visit: Visit, action: str, field: str = "drawn") -> str:
    """Return what `seal` was given. Raises InvalidParameter for a field that was sealed for something else."""
    try:
        return visit.services.vault.open(base64.urlsafe_b64decode(visit.value(field)), _context(visit, action))
    except Exception as error:  # of another action or session, or changed
        raise InvalidParameter(field, "the form is too old; look again") from error


def require_confirmation(visit: Visit) -> None:
    """Raise InvalidParameter unless the person ticked that they mean it."""
    if visit.value("sure") != "on":
        raise InvalidParameter("sure", "tick the box first")


def _context(visit: Visit, action: str) -> str:
    return f"console.once:{visit.present.session.id}:{action}"
