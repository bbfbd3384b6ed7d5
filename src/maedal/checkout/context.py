"""What `maedal.app` gives to the checkout's handlers, and the addresses they hand out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from litestar import Request

from maedal.flows.services import ReturnUrls, Services
from maedal.vault import Vault, tokens

AnyRequest = Request[Any, Any, Any]


@dataclass(frozen=True, slots=True)
class Addresses:
    """Makes and reads the checkout's addresses and tokens; the key file is all they need."""

    vault: Vault
    public_url: str

    def window_url(self, merchant_id: str, imp_uid: str) -> str:
        """Return where the buyer's window begins."""
        return f"{self.public_url}/checkout/{tokens.make(self.vault, 'window', merchant_id, imp_uid)}"

    def return_urls(self, merchant_id: str, imp_uid: str) -> ReturnUrls:
        """Return where the PG sends the browser."""
        token = tokens.make(self.vault, "return", merchant_id, imp_uid)
        base = f"{self.public_url}/checkout/{token}"
        return ReturnUrls(f"{base}/approve", f"{base}/cancel", f"{base}/fail")

    def read(self, purpose: str, token: str) -> tuple[str, str] | None:
        """Return merchant and imp_uid of a token made for `purpose`."""
        parts = tokens.read(self.vault, purpose, token) if len(token) < 300 else None
        return (parts[0], parts[1]) if parts is not None and len(parts) == 2 else None


@dataclass(frozen=True, slots=True)
class Checkout:
    """The parts and the addresses."""

    services: Services
    addresses: Addresses
    other_codes: Mapping[str, str] = field(default_factory=dict)
    """Identification codes that stand for another merchant's where no merchant has them: in `maedal dev` alone."""

    def window_url(self, merchant_id: str, imp_uid: str) -> str:
        return self.addresses.window_url(merchant_id, imp_uid)

    def sdk_token(self, merchant_id: str, imp_uid: str) -> str:
        return tokens.make(self.addresses.vault, "sdk", merchant_id, imp_uid)

    def read_sdk_token(self, token: str) -> tuple[str, str] | None:
        return self.addresses.read("sdk", token)


def checkout_of(request: AnyRequest) -> Checkout:
    """Return what the running gateway gave."""
    checkout: Checkout = request.app.state.checkout
    return checkout
