"""What `maedal.app` gives to every request handler."""

from __future__ import annotations

from maedal.flows.parts import Parts
from maedal.rest.auth import AnyRequest, Tokens
from maedal.settings import Settings

__all__ = ["AnyRequest", "context_of"]


def context_of(request: AnyRequest) -> tuple[Parts, Tokens, Settings]:
    """Return the parts, the token reader and the settings of the running gateway."""
    state = request.app.state
    return state.parts, state.tokens, state.settings
