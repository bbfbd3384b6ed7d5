"""Channels: the settings page on which the product begins. The rules are those of the command line, from one flow."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from maedal.console.admission import asks, visit_of
from maedal.console.page import go, refused, show
from maedal.console.visit import AnyRequest, Visit
from maedal.console.whose import merchant_of
from maedal.errors import GatewayError
from maedal.flows.check_channel import ChannelCheck, check_channel
from maedal.flows.set_up_merchant import ChannelWish, add_channel, change_channel
from maedal.merchants.channel import Channel, ChannelKind, ReplacedKeys, UnknownPg
from maedal.merchants.errors import ChannelNotFound
from maedal.merchants.merchant import Merchant
from maedal.operators.role import Permission

SEE, CHANGE = asks(Permission.SEE_SETTINGS), asks(Permission.CHANGE_SETTINGS)
FIRST_CID = "TCSUBSCRIP"


@get("/merchants/{code:str}/channels", opt=SEE)
async def channels(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """List a merchant's channels."""
    visit = visit_of(request)
    merchant = await merchant_of(visit, code)
    found = await visit.parts.store.channels(code)
    return show(visit, "channels.html", merchant=merchant, channels=found)


@get("/merchants/{code:str}/channels/new", opt=CHANGE)
async def new_channel(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Show the form of a new channel, filled in for a first try: KakaoPay, test mode, recurring payment."""
    visit = visit_of(request)
    merchant = await merchant_of(visit, code)
    first = not await visit.parts.store.channels(code)
    given = {"pg": "kakaopay", "test_mode": "on", "cid": FIRST_CID, "default": "on" if first else ""}
    return _form(visit, merchant, None, _BLANK | given)


@post("/merchants/{code:str}/channels/new", opt=CHANGE)
async def add(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Add the channel."""
    visit = visit_of(request)
    merchant = await merchant_of(visit, code)
    try:
        channel = await add_channel(visit.parts, code, _wish(visit), who=visit.present.user.name)
    except GatewayError as error:
        return _form(visit, merchant, None, _typed(visit), error)
    return go(visit, _address(channel), visit.t("채널을 추가했습니다.", "The channel was added."))


@get("/merchants/{code:str}/channels/{channel_id:str}", opt=SEE)
async def channel_page(request: AnyRequest, code: FromPath[str], channel_id: FromPath[str]) -> Response[str]:
    """Show a channel, to be changed by those who may."""
    visit = visit_of(request)
    merchant, channel = await _found(visit, code, channel_id)
    return _form(visit, merchant, channel, _kept(channel))


@post("/merchants/{code:str}/channels/{channel_id:str}", opt=CHANGE)
async def change(request: AnyRequest, code: FromPath[str], channel_id: FromPath[str]) -> Response[str]:
    """Change the channel."""
    visit = visit_of(request)
    merchant, channel = await _found(visit, code, channel_id)
    try:
        await change_channel(visit.parts, code, channel_id, _wish(visit), who=visit.present.user.name)
    except GatewayError as error:
        return _form(visit, merchant, channel, _typed(visit), error)
    return go(visit, _address(channel), visit.t("저장했습니다.", "Saved."))


@post("/merchants/{code:str}/channels/{channel_id:str}/check", opt=CHANGE)
async def check(request: AnyRequest, code: FromPath[str], channel_id: FromPath[str]) -> Response[str]:
    """Prepare a payment at the PG and forget it, as `maedal check-channel` does, and say what came of it."""
    visit = visit_of(request)
    _, channel = await _found(visit, code, channel_id)
    found = await check_channel(visit.parts, channel)
    text, fine = _verdict(visit, found)
    return go(visit, f"{_address(channel)}#check", text, tone="done" if fine else "problem", place="check")


def _verdict(visit: Visit, found: ChannelCheck) -> tuple[str, bool]:
    if not found.answers:
        return visit.t(
            f"PG사가 이 채널을 받지 않습니다: {found.problem}", f"The PG does not take this channel: {found.problem}"
        ), False
    if found.recurring:
        return visit.t(
            "PG사가 CID와 키를 받았고 정기결제(빌링키 발급)를 할 수 있습니다.",
            "The PG takes this CID and key, and recurring payment is allowed: billing keys can be issued.",
        ), True
    if found.fine:
        return visit.t(
            "PG사가 CID와 키를 받았습니다. 일반결제만 할 수 있습니다.",
            "The PG takes this CID and key. One-time payment only: no billing keys.",
        ), True
    return visit.t(
        f"이 CID는 정기결제를 할 수 없습니다. PG사와 정기결제 계약이 필요합니다. ({found.problem})",
        f"This CID cannot do recurring payment; it needs that agreement with the PG. ({found.problem})",
    ), False


async def _found(visit: Visit, code: str, channel_id: str) -> tuple[Merchant, Channel]:
    merchant = await merchant_of(visit, code)
    channel = next((c for c in await visit.parts.store.channels(code) if c.id == channel_id), None)
    if channel is None:
        raise ChannelNotFound(f"{code} has no channel {channel_id}")
    return merchant, channel


def _address(channel: Channel) -> str:
    return f"/console/merchants/{channel.merchant_id}/channels/{channel.id}"


_BLANK: dict[str, Any] = {
    "name": "", "pg": "kakaopay", "test_mode": "on", "cid": "", "kind": "recurring", "default": "", "origins": "",
    "unknown_pg": UnknownPg.REJECT, "replaced_keys": ReplacedKeys.DEACTIVATE, "bucket": "",
}  # fmt: skip


def _kept(channel: Channel) -> dict[str, Any]:
    return {
        "name": channel.name,
        "pg": channel.pg_provider,
        "test_mode": "on" if channel.test_mode else "off",
        "cid": channel.pg_merchant_id,
        "kind": channel.kind,
        "default": "on" if channel.default else "",
        "origins": "\n".join(channel.allowed_origins),
        "unknown_pg": channel.unknown_pg,
        "replaced_keys": channel.replaced_keys,
        "bucket": channel.file_bucket or "",
    }


def _typed(visit: Visit) -> dict[str, Any]:
    """Return the form as it was sent; secrets are typed anew."""
    return {name: visit.value(name) for name in _BLANK}


def _wish(visit: Visit) -> ChannelWish:
    test_mode = visit.value("test_mode") != "off"
    return ChannelWish(
        name=visit.value("name") or None,
        pg_provider=visit.value("pg") or None,
        cid=visit.value("cid") or None,
        test_mode=test_mode,
        # A test CID says itself what it is for.
        kind=None if test_mode else _one_of(ChannelKind, visit.value("kind")),
        secret=visit.value("secret_key") or None,
        default=visit.value("default") == "on",
        allowed_origins=tuple(visit.value("origins").split()),
        unknown_pg=_one_of(UnknownPg, visit.value("unknown_pg")),
        replaced_keys=_one_of(ReplacedKeys, visit.value("replaced_keys")),
        file_key=visit.value("file_key") or None,
        file_bucket=visit.value("bucket"),
    )


def _one_of(kind: Any, word: str) -> Any:
    return kind(word) if word in set(kind) else None


def _form(
    visit: Visit, merchant: Merchant, channel: Channel | None, given: dict[str, Any], error: GatewayError | None = None
) -> Response[str]:
    providers = {name: list(d.abilities.accounts.test_ids) for name, d in visit.parts.drivers.items()}
    return show(
        visit,
        "channel.html",
        status=422 if error else 200,
        merchant=merchant,
        channel=channel,
        given=given,
        problem=None if error is None else refused(visit, error),
        providers=providers,
        kinds=list(ChannelKind),
        unknown_pgs=list(UnknownPg),
        replacings=list(ReplacedKeys),
        domain=visit.settings.public_url,
    )


HANDLERS = [channels, new_channel, add, channel_page, change, check]
