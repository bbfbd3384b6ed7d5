"""What `maedal.app` gives to every request handler."""

from __future__ import annotations

from maedal.flows.services import Services
from maedal.rest.auth import AnyRequest, Tokens
from maedal.settings import Settings

__all__ = ["AnyRequest", "context_of"]


def context_of(request: AnyRequest) -> tuple[Services, Tokens, Settings]:
    """Return the services, the token reader and the settings of the running gateway."""
    state = request.app.state
    return state.services, state.tokens, state.settings
