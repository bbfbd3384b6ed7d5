"""`maedal channel`: contracts with PGs, in test or live mode."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Annotated

import typer

from maedal.cli.command_line import Commands
from maedal.cli.lists import Json, Listing, moment
from maedal.cli.running import give_up, out, whoever, with_gateway
from maedal.cli.settings import read
from maedal.merchants.channel import (
    WAITS_HOURS_MAX,
    CardLimits,
    Channel,
    ChannelKind,
    ReplacedKeys,
    UnknownPg,
    WindowForm,
)
from maedal.merchants.channel_pause import ChannelPause
from maedal.payments.attempt import Method
from maedal.payments.errors import InvalidParameter

app = Commands(
    no_args_is_help=True,
    help="Channels: one merchant's contract with one PG. Test mode on takes the PG's public test CIDs, with a dev "
    "secret key for the PG's own host or without one for the simulator; off takes your contract's CID and live key.",
)


NONE_RESTING: Mapping[str, ChannelPause] = {}


class OnOff(StrEnum):
    """A switch."""

    ON = "on"
    OFF = "off"


class PayWith(StrEnum):
    """What a channel takes."""

    ANY = "any"
    CARD = "card"
    MONEY = "money"


MerchantOption = Annotated[str, typer.Option(help="Identification code of the merchant.")]
ChannelArgument = Annotated[str, typer.Argument(help="Channel key: channel-key-…")]
CidOption = Annotated[str | None, typer.Option(help="The merchant's number at the PG, e.g. TCSUBSCRIP.")]
TestOption = Annotated[OnOff | None, typer.Option(help="Test mode.")]
KindOption = Annotated[ChannelKind | None, typer.Option(help="What the contract allows; known for test CIDs.")]
SecretOption = Annotated[
    bool, typer.Option("--secret-key", help="Ask for the PG's secret key (or read it from standard input).")
]
FileKeyOption = Annotated[
    bool,
    typer.Option("--file-key", help="Ask for the key of the PG's file API, after the secret key if both are asked."),
]
BucketOption = Annotated[
    str | None, typer.Option("--bucket", help="Bucket id of the PG's file API; '' takes it and the file key away.")
]
PerMonthOption = Annotated[
    int | None,
    typer.Option(
        help="How often your contract lets one billing key be charged in a month; the console shows it. 0: not known."
    ),
]
OriginOption = Annotated[
    list[str] | None,
    typer.Option(
        "--origin",
        help="A page origin that may open windows and be returned to; null for pages without one, as in apps. "
        "Repeatable; '' for any.",
    ),
]
SchemeOption = Annotated[
    list[str] | None,
    typer.Option("--app-scheme", help="A scheme of your apps that buyers may return to. Repeatable; '' for none."),
]
PreparedOnlyOption = Annotated[
    bool | None,
    typer.Option(
        "--prepared-only/--no-prepared-only",
        help="Open windows only for what your server registered (POST /payments/prepare).",
    ),
]
DefaultOption = Annotated[bool | None, typer.Option("--default/--no-default", help="Used when a page names no PG.")]
UnknownPgOption = Annotated[
    UnknownPg | None,
    typer.Option(help="When a page names a PG you have no channel of: reject it, or use this default channel."),
]
ReplacedKeysOption = Annotated[
    ReplacedKeys | None,
    typer.Option(
        help="Billing keys replaced by a newer one: deactivate them at the PG if your server had registered the "
        "customer_uid of the newer one, or always keep them active there."
    ),
]
MethodOption = Annotated[
    PayWith | None, typer.Option(help="What buyers may pay with: cards, KakaoPay Money, or any of the two.")
]
CardOption = Annotated[
    list[str] | None,
    typer.Option("--card", help="A card company that buyers may pay with, in PortOne's codes. Repeatable; '' for any."),
]
MonthsOption = Annotated[
    str | None, typer.Option(help="Fix the instalments to so many months, 0 for a lump sum; 'any' leaves the choice.")
]
WindowOption = Annotated[
    WindowForm | None,
    typer.Option(help="The payment window on a PC: over the shop's page, or a browser window of its own."),
]
WaitsOption = Annotated[
    int | None,
    typer.Option(
        "--waits-hours",
        min=0,
        max=WAITS_HOURS_MAX,
        help="For how many hours after it was due a scheduled charge that nobody declined is tried again; 0 for never.",
    ),
]
NameOption = Annotated[str | None, typer.Option(help="A name for your eyes; shown in GET /users/pg.")]


@app.command("add")
def add(
    merchant: MerchantOption,
    cid: Annotated[str, typer.Option(help="The merchant's number at the PG, e.g. TCSUBSCRIP.")],
    test_mode: TestOption = OnOff.ON,
    pg: Annotated[str, typer.Option(help="The PG.")] = "kakaopay",
    kind: KindOption = None,
    name: NameOption = None,
    secret_key: SecretOption = False,
    default: DefaultOption = None,
    origin: OriginOption = None,
    unknown_pg: UnknownPgOption = None,
    replaced_keys: ReplacedKeysOption = None,
    file_key: FileKeyOption = False,
    bucket: BucketOption = None,
    charges_per_month: PerMonthOption = None,
    method: MethodOption = None,
    card: CardOption = None,
    months: MonthsOption = None,
    window: WindowOption = None,
    waits_hours: WaitsOption = None,
    app_scheme: SchemeOption = None,
    prepared_only: PreparedOnlyOption = None,
) -> None:
    """Add a channel. One-time and recurring payments have different CIDs, so they are two channels."""
    from maedal.app import Gateway
    from maedal.flows.set_up_channel import ChannelSettings, add_channel

    channel_settings = ChannelSettings(
        name,
        pg,
        cid,
        test_mode is not OnOff.OFF,
        kind,
        _ask_secret(secret_key, "secret key"),
        default,
        _listed(origin),
        unknown_pg,
        replaced_keys,
        _ask_secret(file_key, "file key"),
        bucket,
        charges_per_month,
        window_form=window,
        waits_hours=waits_hours,
        app_schemes=_listed(app_scheme),
        prepared_only=prepared_only,
    )

    async def work(gateway: Gateway) -> None:
        limited = replace(channel_settings, limits=_limits(CardLimits(), method, card, months))
        _show([await add_channel(gateway.services, merchant, limited, who=whoever())])

    with_gateway(read(), work)


@app.command("list")
def show(merchant: MerchantOption, as_json: Json = False) -> None:
    """List a merchant's channels. Secret keys are never shown."""
    from maedal.app import Gateway

    async def work(gateway: Gateway) -> None:
        await gateway.services.merchant_cache.merchant(merchant)
        pauses = await gateway.store.channels.pauses()
        resting = {p.channel_id: p for p in pauses if p.merchant_id == merchant}
        _show(list(await gateway.store.channels.of_merchant(merchant)), resting, as_json=as_json)

    with_gateway(read(), work)


@app.command("set")
def change(
    channel: ChannelArgument,
    merchant: MerchantOption,
    test_mode: TestOption = None,
    cid: CidOption = None,
    kind: KindOption = None,
    name: NameOption = None,
    secret_key: SecretOption = False,
    default: DefaultOption = None,
    origin: OriginOption = None,
    unknown_pg: UnknownPgOption = None,
    replaced_keys: ReplacedKeysOption = None,
    file_key: FileKeyOption = False,
    bucket: BucketOption = None,
    charges_per_month: PerMonthOption = None,
    method: MethodOption = None,
    card: CardOption = None,
    months: MonthsOption = None,
    window: WindowOption = None,
    waits_hours: WaitsOption = None,
    app_scheme: SchemeOption = None,
    prepared_only: PreparedOnlyOption = None,
) -> None:
    """Change a channel. Switching test mode drops the old secret key and the file key: test and live keys never mix."""
    from maedal.app import Gateway
    from maedal.flows.set_up_channel import ChannelSettings, change_channel

    mode = None if test_mode is None else test_mode is OnOff.ON
    channel_settings = ChannelSettings(
        name,
        None,
        cid,
        mode,
        kind,
        _ask_secret(secret_key, "secret key"),
        default,
        _listed(origin),
        unknown_pg,
        replaced_keys,
        _ask_secret(file_key, "file key"),
        bucket,
        charges_per_month,
        window_form=window,
        waits_hours=waits_hours,
        app_schemes=_listed(app_scheme),
        prepared_only=prepared_only,
    )

    async def work(gateway: Gateway) -> None:
        known = next(
            (c.limits for c in await gateway.store.channels.of_merchant(merchant) if c.id == channel), CardLimits()
        )
        limited = replace(channel_settings, limits=_limits(known, method, card, months))
        _show([await change_channel(gateway.services, merchant, channel, limited, who=whoever())])

    with_gateway(read(), work)


@app.command("pair")
def pair(
    merchant: MerchantOption,
    test_mode: TestOption = OnOff.ON,
    one_time_cid: Annotated[str | None, typer.Option(help="CID for one-time payments; known in test mode.")] = None,
    recurring_cid: Annotated[str | None, typer.Option(help="CID for recurring payments; known in test mode.")] = None,
    secret_key: SecretOption = False,
) -> None:
    """Add the channels for one-time and for recurring payments together. What is there already is left as it is."""
    from maedal.app import Gateway
    from maedal.flows.set_up_channel import ChannelPairSettings, add_pair

    channel_settings = ChannelPairSettings(
        test_mode is not OnOff.OFF, one_time_cid, recurring_cid, _ask_secret(secret_key, "secret key")
    )

    async def work(gateway: Gateway) -> None:
        _show(await add_pair(gateway.services, merchant, channel_settings, who=whoever()))

    with_gateway(read(), work)


def check(channel: ChannelArgument, merchant: MerchantOption) -> None:
    """Prepare a payment of 0 won at the PG, never approve it, and say whether the CID can do recurring payment."""
    from maedal.app import Gateway
    from maedal.flows.check_channel import ChannelCheck, check_channel
    from maedal.merchants.channel import ChannelKind as Kind
    from maedal.merchants.errors import ChannelNotFound

    async def work(gateway: Gateway) -> ChannelCheck:
        await gateway.services.merchant_cache.merchant(merchant)
        known = {c.id: c for c in await gateway.store.channels.of_merchant(merchant)}
        if channel not in known:
            raise ChannelNotFound(
                f"{merchant} has no channel {channel}; see: maedal channel list --merchant {merchant}"
            )
        return await check_channel(gateway.services, known[channel])

    found = with_gateway(read(), work)
    if not found.answers:
        give_up(f"the PG does not take this channel: {found.problem}")
    out.print("[green]✓[/] the PG takes this CID and key")
    if found.recurring:
        out.print("[green]✓[/] recurring payment is allowed: billing keys can be issued")
    elif found.wanted is Kind.RECURRING:
        give_up(f"this CID cannot do recurring payment; it needs that agreement with the PG ({found.problem})")
    else:
        out.print("  one-time payment only: no billing keys")


def _ask_secret(wanted: bool, what: str) -> str | None:
    if not wanted:
        return None
    # Never an argument: those stay in the shell's history and in the process list.
    if not sys.stdin.isatty():
        return sys.stdin.readline().strip() or None
    return typer.prompt(what, hide_input=True, err=True).strip() or None


def _limits(known: CardLimits, method: PayWith | None, cards: list[str] | None, months: str | None) -> CardLimits:
    """Return the limits with what was given in the place of what there was."""
    if method is not None:
        known = replace(known, method=None if method is PayWith.ANY else Method(method.value))
    if cards is not None:
        known = replace(known, cards=tuple(card for card in cards if card) or None)
    if months is not None:
        if months != "any" and not (months.isdecimal() and len(months) < 3):
            raise InvalidParameter("months", f"a number of months or 'any' is expected, not {months!r}")
        known = replace(known, months=None if months == "any" else int(months))
    return known


def _listed(items: list[str] | None) -> tuple[str, ...] | None:
    return None if items is None else tuple(item for item in items if item)


def _show(
    channels: list[Channel], resting: Mapping[str, ChannelPause] = NONE_RESTING, *, as_json: bool = False
) -> None:
    with Listing(as_json=as_json) as listing:
        for c in channels:
            listing.row(
                "channel_key",
                c.id,
                name=c.name,
                CID=f"{c.pg_provider}.{c.pg_merchant_id}",
                kind=c.kind.value.replace("_", "-"),
                test_mode="ON" if c.test_mode else "OFF",
                speaks_to="the simulator" if c.uses_simulator else "the PG",
                default=c.default,
                origins=c.allowed_origins or "any",
                app_schemes=c.app_schemes or "none listed",
                prepared_only=c.prepared_only,
                replaced_keys=c.replaced_keys,
                month_limit=c.charges_per_month or "not known",
                waits=f"{c.waits_hours} hours",
                method=c.limits.method or "any",
                cards=c.limits.cards or "any",
                months="any" if c.limits.months is None else c.limits.months,
                window=c.window_form,
                files=f"bucket {c.file_bucket}" if c.sealed_file_key else "none",
                works="as far as is known" if c.id not in resting else pause_text(resting[c.id]),
            )


def pause_text(pause: ChannelPause) -> str:
    """Return what is told of a channel through which nothing can be charged for now."""
    return (
        f"NO, {pause.fault} since {moment(pause.since)}: {pause.reason}; "
        f"scheduled charges wait, next try {moment(pause.until)}"
    )
