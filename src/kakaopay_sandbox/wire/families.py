"""The two generations: how a key, a body and an error look in each (docs/wire/kakaopay.md, 1, 8.1, 8.3, 14.2)."""

from collections.abc import Sequence
from typing import Any, Protocol
from urllib.parse import parse_qsl

import msgspec

from kakaopay_sandbox.errors import BadParameter, MissingAuthorization, Refusal, WrongKey


class Family(Protocol):
    """One generation of the API."""

    name: str
    is_legacy: bool

    def key(self, authorization: str | None, accepted: Sequence[str]) -> str:
        """The key of a call; any is accepted when none is configured."""
        ...

    def body(self, content_type: str, raw: bytes, query: str) -> dict[str, Any]:
        """What was sent, undecoded field by field."""
        ...

    def error(self, refusal: Refusal) -> tuple[int, dict[str, Any]]:
        """HTTP status and body."""
        ...


class Current:
    """KakaoPay Open API: JSON both ways."""

    name = "current"
    is_legacy = False

    def key(self, authorization: str | None, accepted: Sequence[str]) -> str:
        scheme, _, key = (authorization or "").strip().partition(" ")
        key = key.strip()
        if scheme not in {"SECRET_KEY", "DEV_SECRET_KEY"} or not key:
            raise MissingAuthorization
        if accepted and key not in accepted:
            raise WrongKey
        return key

    def body(self, content_type: str, raw: bytes, query: str) -> dict[str, Any]:
        del query
        if content_type.partition(";")[0].strip().lower() != "application/json":
            raise BadParameter.invalid("Content-Type")
        try:
            return msgspec.json.decode(raw, type=dict[str, Any])
        except (msgspec.MsgspecError, UnicodeDecodeError) as unreadable:
            raise BadParameter.invalid("body") from unreadable

    def error(self, refusal: Refusal) -> tuple[int, dict[str, Any]]:
        body: dict[str, Any] = {"error_code": refusal.code, "error_message": refusal.text}
        return refusal.http_status, body | refusal.extras


class Legacy:
    """Kakao Developers: a form or query string in, JSON out. Kept as a compatibility mode."""

    name = "legacy"
    is_legacy = True

    def key(self, authorization: str | None, accepted: Sequence[str]) -> str:
        scheme, _, key = (authorization or "").strip().partition(" ")
        key = key.strip()
        if scheme != "KakaoAK" or not key:
            raise LegacyUnauthorized("cannot find Authorization : KakaoAK header")
        if accepted and key not in accepted:
            # The real text repeats the key; the simulator does not.
            raise LegacyUnauthorized("wrong appKey(***) format")
        return key

    def body(self, content_type: str, raw: bytes, query: str) -> dict[str, Any]:
        fields = dict(parse_qsl(query, keep_blank_values=True))
        if content_type.partition(";")[0].strip().lower() == "application/x-www-form-urlencoded":
            try:
                fields |= dict(parse_qsl(raw.decode("utf-8"), keep_blank_values=True))
            except (UnicodeDecodeError, ValueError) as unreadable:
                raise BadParameter.invalid("body") from unreadable
        return dict(fields)

    def error(self, refusal: Refusal) -> tuple[int, dict[str, Any]]:
        code = refusal.legacy_code or refusal.code
        # Captured replies of -781 have the code first, all others the message.
        body: dict[str, Any] = {"msg": refusal.text, "code": code}
        if code == -781:
            body = {"code": code, "msg": refusal.text}
        return refusal.http_status, body | refusal.extras


class LegacyUnauthorized(Refusal):
    code = -401
    http_status = 401


CURRENT = Current()
LEGACY = Legacy()
