"""Channels: the settings page on which the product begins. The rules are those of the command line, from one flow."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from maedal.console.frame.admission import requires, visit_of
from maedal.console.frame.merchant import merchant_of, paused_channels
from maedal.console.frame.page import problem_of, redirect, render
from maedal.console.frame.visit import AnyRequest, Visit
from maedal.errors import GatewayError
from maedal.flows.check_channel import ChannelCheck, check_channel
from maedal.flows.set_up_merchant import ChannelPairSettings, ChannelSettings, add_channel, add_pair, change_channel
from maedal.merchants.channel import (
    MONTHS_MAX,
    WAITS_HOURS,
    CardLimits,
    Channel,
    ChannelKind,
    ReplacedKeys,
    UnknownPg,
    WindowForm,
)
from maedal.merchants.errors import ChannelNotFound
from maedal.merchants.merchant import Merchant
from maedal.operators.role import Permission
from maedal.payments.attempt import Method

SEE, CHANGE = requires(Permission.SEE_SETTINGS), requires(Permission.CHANGE_SETTINGS)
FIRST_CID = "TCSUBSCRIP"
CARD_NAMES = {
    "361": ("BC카드", "BC"),
    "381": ("KB국민카드", "KB Kookmin"),
    "367": ("현대카드", "Hyundai"),
    "365": ("삼성카드", "Samsung"),
    "368": ("롯데카드", "Lotte"),
    "371": ("NH카드", "NH"),
    "041": ("우리카드", "Woori"),
    "374": ("하나카드", "Hana"),
    "366": ("신한카드", "Shinhan"),
    "370": ("씨티카드", "Citi"),
    "090": ("카카오뱅크", "KakaoBank"),
}
"""PortOne's codes of the card companies that a PG of ours can be limited to; a test proves the list complete."""


@get("/merchants/{code:str}/channels", opt=SEE)
async def channels(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """List a merchant's channels."""
    visit = visit_of(request)
    merchant = await merchant_of(visit, code)
    found = await visit.services.store.channels.of_merchant(code)
    return render(
        visit,
        "channels/list.html",
        merchant=merchant,
        channels=found,
        paused=await paused_channels(visit, code),
        domain=visit.settings.public_url,
    )


@get("/merchants/{code:str}/channels/new", opt=CHANGE)
async def new_channel(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Show the form of a new channel, filled in for a first try: KakaoPay, test mode, recurring payment."""
    visit = visit_of(request)
    merchant = await merchant_of(visit, code)
    first = not await visit.services.store.channels.of_merchant(code)
    supplied = {"pg": "kakaopay", "test_mode": "on", "cid": FIRST_CID, "default": "on" if first else ""}
    return await _form(visit, merchant, None, _BLANK | supplied | {"cards": []})


@post("/merchants/{code:str}/channels/new", opt=CHANGE)
async def add(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Add the channel."""
    visit = visit_of(request)
    merchant = await merchant_of(visit, code)
    try:
        channel = await add_channel(visit.services, code, _settings(visit), who=visit.present.operator.name)
    except GatewayError as error:
        return await _form(visit, merchant, None, _typed(visit), error)
    return redirect(visit, _address(channel), visit.t("채널을 추가했습니다.", "The channel was added."))


@get("/merchants/{code:str}/channels/pair", opt=CHANGE)
async def new_pair(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Show the step that makes the channels for one-time and recurring payments together."""
    visit = visit_of(request)
    merchant = await merchant_of(visit, code)
    return _pair_form(visit, merchant, {"test_mode": "on", "one_time_cid": "", "recurring_cid": ""})


@post("/merchants/{code:str}/channels/pair", opt=CHANGE)
async def make_pair(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Make both; what is there already is left as it is."""
    visit = visit_of(request)
    merchant = await merchant_of(visit, code)
    test_mode = visit.value("test_mode") != "off"
    settings = ChannelPairSettings(
        test_mode,
        # In test mode the fields are out of sight, whatever is left in them.
        None if test_mode else visit.value("one_time_cid") or None,
        None if test_mode else visit.value("recurring_cid") or None,
        visit.value("secret_key") or None,
    )
    try:
        await add_pair(visit.services, code, settings, who=visit.present.operator.name)
    except GatewayError as error:
        supplied = {name: visit.value(name) for name in ("test_mode", "one_time_cid", "recurring_cid")}
        return _pair_form(visit, merchant, supplied, error)
    text = visit.t(
        "일반결제와 정기결제 채널이 있습니다. 각 채널에서 확인 버튼을 눌러 보세요.",
        "The channels for one-time and recurring payments are there. Check each on its page.",
    )
    return redirect(visit, f"/console/merchants/{code}/channels", text)


def _pair_form(
    visit: Visit, merchant: Merchant, supplied: dict[str, str], error: GatewayError | None = None
) -> Response[str]:
    return render(
        visit,
        "channels/new_pair.html",
        status=422 if error else 200,
        merchant=merchant,
        supplied=supplied,
        problem=None if error is None else problem_of(visit, error),
        domain=visit.settings.public_url,
    )


@get("/merchants/{code:str}/channels/{channel_id:str}", opt=SEE)
async def channel_page(request: AnyRequest, code: FromPath[str], channel_id: FromPath[str]) -> Response[str]:
    """Show a channel, to be changed by those who may."""
    visit = visit_of(request)
    merchant, channel = await _found(visit, code, channel_id)
    return await _form(visit, merchant, channel, _kept(channel))


@post("/merchants/{code:str}/channels/{channel_id:str}", opt=CHANGE)
async def change(request: AnyRequest, code: FromPath[str], channel_id: FromPath[str]) -> Response[str]:
    """Change the channel."""
    visit = visit_of(request)
    merchant, channel = await _found(visit, code, channel_id)
    try:
        await change_channel(visit.services, code, channel_id, _settings(visit), who=visit.present.operator.name)
    except GatewayError as error:
        return await _form(visit, merchant, channel, _typed(visit), error)
    return redirect(visit, _address(channel), visit.t("저장했습니다.", "Saved."))


@post("/merchants/{code:str}/channels/{channel_id:str}/check", opt=CHANGE)
async def check(request: AnyRequest, code: FromPath[str], channel_id: FromPath[str]) -> Response[str]:
    """Prepare a payment at the PG and forget it, as `maedal check-channel` does, and say what came of it."""
    visit = visit_of(request)
    _, channel = await _found(visit, code, channel_id)
    found = await check_channel(visit.services, channel)
    text, fine = _verdict(visit, found)
    return redirect(visit, f"{_address(channel)}#check", text, tone="done" if fine else "problem", place="check")


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
    channel = next((c for c in await visit.services.store.channels.of_merchant(code) if c.id == channel_id), None)
    if channel is None:
        raise ChannelNotFound(f"{code} has no channel {channel_id}")
    return merchant, channel


def _address(channel: Channel) -> str:
    return f"/console/merchants/{channel.merchant_id}/channels/{channel.id}"


_BLANK: dict[str, Any] = {
    "name": "", "pg": "kakaopay", "test_mode": "on", "cid": "", "kind": "recurring", "default": "", "origins": "",
    "unknown_pg": UnknownPg.REJECT, "replaced_keys": ReplacedKeys.DEACTIVATE, "bucket": "", "method": "", "months": "",
    "window": WindowForm.LAYER, "per_month": "", "waits_hours": str(WAITS_HOURS), "app_schemes": "",
    "prepared_only": "",
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
        "per_month": "" if channel.charges_per_month is None else str(channel.charges_per_month),
        "method": channel.limits.method or "",
        "cards": list(channel.limits.cards or ()),
        "months": "" if channel.limits.months is None else str(channel.limits.months),
        "window": channel.window_form,
        "waits_hours": str(channel.waits_hours),
        "app_schemes": "\n".join(channel.app_schemes),
        "prepared_only": "on" if channel.prepared_only else "",
    }


def _typed(visit: Visit) -> dict[str, Any]:
    """Return the form as it was sent; secrets are typed anew."""
    return {name: visit.value(name) for name in _BLANK} | {"cards": visit.form.get("cards", [])}


def _settings(visit: Visit) -> ChannelSettings:
    test_mode = visit.value("test_mode") != "off"
    return ChannelSettings(
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
        charges_per_month=_per_month(visit.value("per_month")),
        limits=_limits(visit),
        window_form=_one_of(WindowForm, visit.value("window")),
        waits_hours=_waits_hours(visit.value("waits_hours")),
        app_schemes=tuple(visit.value("app_schemes").split()),
        prepared_only=visit.value("prepared_only") == "on",
    )


def _per_month(text: str) -> int:
    """Return the number that was typed; none is 0, and what is no number a count that is refused."""
    if not text:
        return 0
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else -1


def _waits_hours(text: str) -> int | None:
    """Return the number that was typed, None for none, and what is no number a wait that is refused."""
    if not text:
        return None
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 4 else -1


def _limits(visit: Visit) -> CardLimits:
    months = visit.value("months")
    return CardLimits(
        _one_of(Method, visit.value("method")),
        tuple(dict.fromkeys(visit.form.get("cards", []))) or None,
        int(months) if months.isdecimal() and len(months) < 3 else None,
    )


def _one_of(kind: Any, word: str) -> Any:
    return kind(word) if word in set(kind) else None


async def _form(
    visit: Visit,
    merchant: Merchant,
    channel: Channel | None,
    supplied: dict[str, Any],
    error: GatewayError | None = None,
) -> Response[str]:
    providers = {name: list(d.abilities.accounts.test_ids) for name, d in visit.services.drivers.items()}
    return render(
        visit,
        "channels/channel.html",
        status=422 if error else 200,
        merchant=merchant,
        paused=[] if channel is None else await paused_channels(visit, merchant.code, channel.id),
        channel=channel,
        supplied=supplied,
        problem=None if error is None else problem_of(visit, error),
        providers=providers,
        kinds=list(ChannelKind),
        unknown_pgs=list(UnknownPg),
        replacings=list(ReplacedKeys),
        methods=list(Method),
        windows=list(WindowForm),
        cards={
            code: visit.t(*CARD_NAMES[code])
            for code in visit.services.drivers[
                supplied["pg"] if supplied["pg"] in providers else "kakaopay"
            ].abilities.cards
        },
        months_max=MONTHS_MAX,
        domain=visit.settings.public_url,
    )


HANDLERS = [channels, new_channel, add, new_pair, make_pair, channel_page, change, check]
