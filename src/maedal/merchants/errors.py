"""What can be wrong with who asks, or with the channel they ask for."""

from __future__ import annotations

from maedal.errors import GatewayError


class MerchantNotFound(GatewayError):
    """No merchant has this identification code."""

    code = "MERCHANT_NOT_FOUND"

    def __init__(self, message: str, merchant_code: str = "") -> None:
        super().__init__(message)
        self.merchant_code = merchant_code


class NoChannel(GatewayError):
    """The merchant has set up no channel at all."""

    code = "NO_CHANNEL"


class ChannelNotFound(GatewayError):
    """The merchant has channels, but none that fits what was asked."""

    code = "CHANNEL_NOT_FOUND"


class ChannelMisconfigured(GatewayError):
    """The channel's settings contradict each other; the text says which and what to change."""

    code = "CHANNEL_MISCONFIGURED"


class OtherMode(ChannelMisconfigured):
    """A billing key or payment was made in test mode and its channel is live now, or the other way around."""

    code = "CHANNEL_OTHER_MODE"


class AddressNotAllowed(GatewayError):
    """The merchant's list of allowed addresses does not have the one that this call comes from."""

    code = "ADDRESS_NOT_ALLOWED"


class ScopeMissing(GatewayError):
    """The API key is good, and may not be used for this; the text is the scope that it lacks."""

    code = "SCOPE_MISSING"


class TooManyFailures(GatewayError):
    """Too many calls from here, or for this key, showed a wrong secret; this one was not looked at."""

    code = "TOO_MANY_FAILURES"

    def __init__(self, message: str, wait_seconds: int = 1) -> None:
        super().__init__(message)
        self.wait_seconds = wait_seconds


class TooManyRequests(GatewayError):
    """Somebody whom nobody knows has asked for more of one kind in a minute than anybody needs."""

    code = "TOO_MANY_REQUESTS"

    def __init__(self, message: str, wait_seconds: int = 1) -> None:
        super().__init__(message)
        self.wait_seconds = wait_seconds


class WrongApiSecret(GatewayError):
    """The REST API key is unknown or its secret is wrong."""

    code = "WRONG_API_SECRET"
