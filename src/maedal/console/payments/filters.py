"""The filters of the list of payments, as a link holds them: whatever a link says, it shows a list."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import TypeVar
from urllib.parse import urlencode

from maedal.console.frame.days import KOREA
from maedal.flows.explain_failures import failed_with
from maedal.flows.services import ServicesWithoutStore
from maedal.payments.attempt import Method
from maedal.payments.cancellation import RefundKind
from maedal.payments.failure_causes import FailureCause
from maedal.payments.notes import TAG_CHARS_MAX
from maedal.payments.payment import Origin
from maedal.storage.payment_lists.reads import Basis, ListFilter, ListOrder, PaymentStanding, Place, SearchField, Use

WORD_CHARS_MAX = 80
WON_MAX = 10**12
SPANS = {"today": 1, "yesterday": 1, "1w": 7, "1m": 30, "3m": 91, "6m": 183}
"""Days of each span, the present one included."""
ALL, OWN = "all", "own"
NAMES = (
    "word", "field", "basis", "span", "since", "until", "status", "method", "use", "mode", "channel", "origin", "min",
    "max", "sort", "cause", "refund", "tag",
)  # fmt: skip
_E = TypeVar("_E", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Selection:
    """What a link asks to see: its filters as people chose them, and as the store is asked."""

    chosen: Mapping[str, str]
    """The filters that differ from what is shown without any."""
    span: str
    since: date | None
    until: date | None
    filter: ListFilter
    order: ListOrder
    cause: FailureCause | None = None
    place: Place | None = None
    backwards: bool = False

    @property
    def query(self) -> str:
        """The link's query, without a place."""
        return urlencode(self.chosen)

    def link(self, path: str, **changes: str) -> str:
        """Return a link to the same list with some filters changed; an empty one is left out."""
        chosen = {name: value for name, value in {**self.chosen, **changes}.items() if value}
        return f"{path}?{urlencode(chosen)}" if chosen else path

    def link_to(self, path: str, place: Place, *, backwards: bool) -> str:
        """Return a link to the rows after a place, or before it."""
        value = place.value.isoformat() if isinstance(place.value, datetime) else str(place.value)
        return self.link(path, **{"before" if backwards else "after": f"{value}~{place.imp_uid}"})

    @property
    def folded_count(self) -> int:
        """How many filters are set that are not in plain sight."""
        folded = ("cause", "refund", "method", "use", "mode", "channel", "origin", "min", "max", "basis")
        return sum(name in self.chosen for name in folded)


def read_selection(
    services: ServicesWithoutStore, query: Mapping[str, str], test_mode: bool | None = None
) -> Selection:
    """Read what a link asks for; what it says that cannot be is as if it were not said.

    `test_mode` is that of the console's switch; it comes before what the link says.
    """
    word = _text(query.get("word", ""))
    field = _one_of(SearchField, query.get("field")) if word else None
    basis = _one_of(Basis, query.get("basis")) or Basis.REQUESTED
    standing = _one_of(PaymentStanding, query.get("status"))
    order = _one_of(ListOrder, query.get("sort")) or ListOrder.NEWEST
    tag = _text(query.get("tag", "")).lower()[:TAG_CHARS_MAX]
    usual = ALL if word or tag else "1m"
    span = query.get("span", usual)
    since, until = _day(query.get("since")), _day(query.get("until"))
    today = services.clock.now().astimezone(KOREA).date()
    if span == OWN and (since or until):
        if since and until and until < since:
            since, until = until, since
    elif span in SPANS:
        last = today - timedelta(days=1) if span == "yesterday" else today
        since, until = last - timedelta(days=SPANS[span] - 1), last if span == "yesterday" else None
    else:
        span = span if span == ALL else usual
        since, until = (None, None) if span == ALL else (today - timedelta(days=SPANS[span] - 1), None)
    low, high = _won(query.get("min")), _won(query.get("max"))
    if low is not None and high is not None and high < low:
        low, high = high, low
    mode = query.get("mode")
    cause = _one_of(FailureCause, query.get("cause"))
    wanted = ListFilter(
        basis=basis,
        since=_midnight(since),
        before=_midnight(until + timedelta(days=1) if until else None),
        standing=standing,
        method=_one_of(Method, query.get("method")),
        use=_one_of(Use, query.get("use")),
        test_mode={"live": False, "test": True}.get(mode or "") if test_mode is None else test_mode,
        channel_id=_text(query.get("channel", "")) or None,
        origin=_one_of(Origin, query.get("origin")),
        amount_from=low,
        amount_to=high,
        refund_kind=_one_of(RefundKind, query.get("refund")),
        tag=tag,
        failed_with=None if cause is None else failed_with(services, cause),
        word=word,
        field=field,
    )
    chosen = {
        "word": word,
        "field": field,
        "basis": basis if basis is not Basis.REQUESTED else None,
        "span": span if span != usual else None,
        "since": since.isoformat() if span == OWN and since else None,
        "until": until.isoformat() if span == OWN and until else None,
        "status": standing,
        "method": wanted.method,
        "use": wanted.use,
        "mode": mode if mode in {"live", "test"} else None,
        "channel": wanted.channel_id,
        "origin": wanted.origin,
        "min": None if low is None else str(low),
        "max": None if high is None else str(high),
        "sort": order if order is not ListOrder.NEWEST else None,
        "cause": cause,
        "refund": wanted.refund_kind,
        "tag": tag,
    }
    selection = Selection({n: str(v) for n, v in chosen.items() if v}, span, since, until, wanted, order, cause)
    for name, backwards in (("after", False), ("before", True)):
        place = _place(query.get(name, ""), order)
        if place is not None:
            return replace(selection, place=place, backwards=backwards)
    return selection


def _text(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable()).strip()[:WORD_CHARS_MAX]


def _one_of(kind: type[_E], text: str | None) -> _E | None:
    return next((one for one in kind if one.value == text), None)


def _day(text: str | None) -> date | None:
    if text is None or not re.fullmatch(r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}", text, re.ASCII):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _midnight(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), KOREA).astimezone(UTC)


def _won(text: str | None) -> int | None:
    digits = (text or "").replace(",", "").strip()
    if not re.fullmatch(r"[0-9]{1,13}", digits, re.ASCII):
        return None
    return min(int(digits), WON_MAX)


def _place(text: str, order: ListOrder) -> Place | None:
    value, _, imp_uid = text.partition("~")
    if not re.fullmatch(r"[A-Za-z0-9_]{1,60}", imp_uid, re.ASCII):
        return None
    if order in {ListOrder.LARGEST, ListOrder.SMALLEST}:
        return Place(int(value), imp_uid) if re.fullmatch(r"[0-9]{1,13}", value, re.ASCII) else None
    try:
        at = datetime.fromisoformat(value)
        return None if at.tzinfo is None else Place(at.astimezone(UTC), imp_uid)
    except (ValueError, OverflowError):
        return None
