"""The columns of a list of payments: which there are, which are shown, and what each writes into a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from maedal.console.frame.spreadsheets import Cell
from maedal.console.frame.visit import Visit
from maedal.console.frame.words import say
from maedal.flows.explain_failures import failure_cause
from maedal.flows.notes import remarks
from maedal.merchants.channel import Channel
from maedal.payments.cancellation import RefundKind
from maedal.payments.failure_texts import EXPLANATIONS
from maedal.payments.moves import Status
from maedal.payments.notes import NoteSubject, Remarks
from maedal.payments.payment import Payment
from maedal.storage.payment_lists.reads import Use

Words = tuple[str, str]


@dataclass(frozen=True, slots=True)
class RowContext:
    """Whom a file is written for, and what its payments refer to."""

    visit: Visit
    channels: Mapping[str, Channel]
    remarks: Mapping[str, Remarks] = field(default_factory=dict)
    """What is written beside them, by imp_uid; only where a column shows it."""
    refund_kinds: Mapping[str, Sequence[RefundKind]] = field(default_factory=dict)
    """Why money was given back, by imp_uid; likewise."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the page, and the columns of a file that stand for it."""

    name: Words
    cells: Sequence[tuple[Words, Callable[[RowContext, Payment], Cell]]]
    number: bool = False


def _one(korean: str, english: str, cell: Callable[[RowContext, Payment], Cell], *, number: bool = False) -> Column:
    return Column((korean, english), (((korean, english), cell),), number)


def status_word(visit: Visit, payment: Payment) -> str:
    """Return where a payment stands, a partly cancelled one told apart."""
    if payment.status is Status.CANCELLED and payment.cancelled_amount < payment.order.price.total.amount:
        return visit.t("부분취소", "Partly cancelled")
    return say(visit, "status", payment.status)


def use_of(payment: Payment) -> Use:
    """Return what a payment is to a billing key."""
    return Use.ONE_TIME if payment.order.key_use is None else Use(payment.order.key_use.value)


def channel_word(channels: Mapping[str, Channel], payment: Payment) -> str:
    """Return what the channel of a payment is called."""
    channel = channels.get(payment.channel_id)
    return channel.name if channel else payment.pg_merchant_id


def _mode(context: RowContext, payment: Payment) -> str:
    return context.visit.t("테스트", "Test") if payment.test_mode else context.visit.t("실연동", "Live")


def _cause(context: RowContext, payment: Payment) -> str:
    cause = failure_cause(context.visit.services, payment)
    return "" if cause is None else say(context.visit, "failure_cause", cause)


def _retry(context: RowContext, payment: Payment) -> str:
    cause = failure_cause(context.visit.services, payment)
    return "" if cause is None else say(context.visit, "retry", EXPLANATIONS[cause].retry)


def _tags(context: RowContext, payment: Payment) -> str:
    return ", ".join(tag.word for tag in context.remarks.get(payment.imp_uid, Remarks()).tags)


def _notes(context: RowContext, payment: Payment) -> str:
    written = context.remarks.get(payment.imp_uid, Remarks()).notes
    return "\n".join(f"{note.author}: {note.text}" for note in reversed(written))


def _refund_kinds(context: RowContext, payment: Payment) -> str:
    kinds = dict.fromkeys(context.refund_kinds.get(payment.imp_uid, ()))
    return ", ".join(say(context.visit, "refund_kind", kind) for kind in kinds)


COLUMNS: Mapping[str, Column] = {
    "status": _one("상태", "Status", lambda context, p: status_word(context.visit, p)),
    "order": Column(
        ("주문", "Order"),
        (
            (("imp_uid", "imp_uid"), lambda _, p: p.imp_uid),
            (("merchant_uid", "merchant_uid"), lambda _, p: p.order.merchant_uid),
            (("주문명", "Order name"), lambda _, p: p.order.name),
        ),
    ),
    "customer": Column(
        ("고객", "Customer"),
        (
            (("구매자 이름", "Buyer"), lambda _, p: p.order.buyer.name or ""),
            (("customer_uid", "customer_uid"), lambda _, p: p.order.customer_uid or ""),
        ),
    ),
    "amount": Column(
        ("금액", "Amount"),
        (
            (("결제 금액", "Amount"), lambda _, p: p.order.price.total.amount),
            (("취소 금액", "Cancelled"), lambda _, p: p.cancelled_amount),
        ),
        number=True,
    ),
    "method": _one("수단", "Method", lambda context, p: say(context.visit, "method", p.method) if p.method else ""),
    "use": _one("구분", "Type", lambda context, p: say(context.visit, "payment_use", use_of(p))),
    "requested": _one("요청 시각", "Requested", lambda _, p: p.started_at),
    "paid": _one("승인 시각", "Paid at", lambda _, p: p.paid_at or ""),
    "cancelled": _one("취소 시각", "Cancelled at", lambda _, p: p.cancelled_at or ""),
    "imp_uid": _one("imp_uid", "imp_uid", lambda _, p: p.imp_uid),
    "mode": _one("모드", "Mode", _mode),
    "channel": _one("채널", "Channel", lambda context, p: channel_word(context.channels, p)),
    "origin": _one("결제 환경", "Origin", lambda context, p: say(context.visit, "origin", p.origin)),
    "email": _one("구매자 이메일", "Buyer's email", lambda _, p: p.order.buyer.email or ""),
    "tel": _one("구매자 전화번호", "Buyer's phone", lambda _, p: p.order.buyer.tel or ""),
    "card": _one("카드사", "Card company", lambda _, p: (p.card and p.card.issuer_name) or ""),
    "approval": _one("카드 승인번호", "Approval no.", lambda _, p: (p.card and p.card.approval_number) or ""),
    "tid": _one("PG 거래번호", "PG's id (tid)", lambda _, p: p.pg_tid or ""),
    "net": _one(
        "순 금액", "Net", lambda _, p: p.order.price.total.amount - p.cancelled_amount if p.paid_at else 0, number=True
    ),
    "tax_free": _one("면세 금액", "Tax-free", lambda _, p: p.order.price.tax_free.amount, number=True),
    "cause": Column(
        ("실패 원인", "Cause of failure"),
        (
            (("실패 원인", "Cause of failure"), _cause),
            (("재시도", "Retry"), _retry),
            (("실패 코드", "Failure code"), lambda _, p: p.fail_code or ""),
        ),
    ),
    "fail_reason": _one("실패 원문", "Failure as told", lambda _, p: p.fail_reason or ""),
    "refund": _one("취소 사유 종류", "Kind of refund", _refund_kinds),
    "tags": _one("태그", "Tags", _tags),
    "notes": _one("메모", "Notes", _notes),
    "cancel_reason": _one("취소 사유", "Cancel reason", lambda _, p: p.cancel_reason or ""),
}
DEFAULT_COLUMNS = ("status", "order", "customer", "amount", "method", "use", "requested")


def read_columns(text: str | None) -> tuple[str, ...]:
    """Return the known columns that a text names, in the order of the page; the usual ones when it names none."""
    named = set((text or "").split(","))
    return tuple(name for name in COLUMNS if name in named) or DEFAULT_COLUMNS


async def context_of(visit: Visit, columns: Sequence[str], code: str, found: Sequence[Payment]) -> RowContext:
    """Return what payments refer to, as far as columns show it: for a page of them, or a part of a file."""
    store = visit.reading.store
    channels = {channel.id: channel for channel in await store.channels.of_merchant(code)}
    ids = [payment.imp_uid for payment in found]
    written = await remarks(visit.reading, code, NoteSubject.PAYMENT, ids) if {"tags", "notes"} & set(columns) else {}
    kinds: dict[str, list[RefundKind]] = {}
    if "refund" in columns:
        cancelled = [payment.imp_uid for payment in found if payment.cancelled_amount]
        for cancel in await store.cancellations.of_payments(code, cancelled):
            if cancel.kind is not None and cancel.done_at is not None:
                kinds.setdefault(cancel.imp_uid, []).append(cancel.kind)
    return RowContext(visit, channels, written, kinds)


def file_headings(visit: Visit, columns: Sequence[str]) -> list[str]:
    """Return the first line of a file."""
    return [visit.t(*words) for name in columns for words, _ in COLUMNS[name].cells]


def file_row(context: RowContext, columns: Sequence[str], payment: Payment) -> list[Cell]:
    """Return a payment as a line of a file."""
    return [cell(context, payment) for name in columns for _, cell in COLUMNS[name].cells]
