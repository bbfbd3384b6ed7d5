"""KakaoPay's current generation: JSON over HTTPS with a secret key (docs/wire/kakaopay.md).

Read top-down: abilities, requests, replies, the small readers under them. No network, no clock, no storage.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec

from maedal import web_address
from maedal.billing_keys.last_approval import TIME_TOLERANCE
from maedal.maintenance.pause import Night
from maedal.merchants.channel import ChannelKind, PgAccountRules
from maedal.payments.attempt import Approval, CardDetails, Decline, Fault, Method, Outcome, Proof, Result, Verb
from maedal.payments.cancellation import CancelAtPg
from maedal.payments.money import AMOUNT_MAX, Currency
from maedal.payments.window import Device
from maedal.pg.driver import (
    Abilities,
    Account,
    ApproveParams,
    CancelParams,
    ChargeParams,
    FileAccount,
    FileRules,
    KeyFacts,
    OrderFacts,
    OrderState,
    PgReply,
    PgRequest,
    Prepared,
    PrepareParams,
    Resolution,
    Unreadable,
)
from maedal.pg.kakaopay import codes
from maedal.pg.kakaopay.failure_causes import CAUSES
from maedal.reconciliation.settlement import SEOUL, Action, NotYet, SettlementDay, SettlementRow, day_of

LIVE_URL = "https://open-api.kakaopay.com"
CONNECT_TIMEOUT_SECONDS = 5.0
READ_TIMEOUT_SECONDS = 15.0
"""Above KakaoPay's own limit of 11 s, so that its answer is heard when there is one (3.2)."""

FILE_URL = "https://biz-dapi.kakaopay.com"
"""The newer of the two hosts of the file API; the older is biz-api.kakaopay.com (12)."""
FILE_HOSTS = ".kakaopay.com"
"""Where a file may lie. Its address is read from a reply, and the key goes there too."""
FILE_READ_TIMEOUT_SECONDS = 60.0
FILE_BYTES_MAX = 256 << 20
"""About three quarters of a million rows."""
NO_FILE = "no uploaded file!"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", re.ASCII)
_BASE = "/online/v1/payment"
_PG_ID = re.compile(r"[0-9A-Za-z_-]{10,64}")
_METHODS = {"CARD": Method.CARD, "MONEY": Method.MONEY}
_METHOD_NAMES = {method: name for name, method in _METHODS.items()}
_AVAILABLE_CARDS = {
    "361": "BC", "381": "KB", "367": "HYUNDAI", "365": "SAMSUNG", "368": "LOTTE", "371": "NH", "041": "WOORIONLY",
    "374": "HANA", "366": "SHINHAN", "370": "CITI", "090": "KAKAOBANK",
}  # fmt: skip
"""PortOne's card codes to KakaoPay's names (docs/wire/portone-browser-sdk.md 1.6); the pairing is ours, by name."""

_STATES = {
    "READY": OrderState.OPEN,
    "SEND_TMS": OrderState.OPEN,
    "OPEN_PAYMENT": OrderState.OPEN,
    "SELECT_METHOD": OrderState.OPEN,
    "ARS_WAITING": OrderState.OPEN,
    "AUTH_PASSWORD": OrderState.AUTHENTICATED,
    "ISSUED_SID": OrderState.APPROVED,
    "SUCCESS_PAYMENT": OrderState.APPROVED,
    "PART_CANCEL_PAYMENT": OrderState.CANCELLED,
    "CANCEL_PAYMENT": OrderState.CANCELLED,
    "FAIL_AUTH_PASSWORD": OrderState.FAILED,
    "QUIT_PAYMENT": OrderState.QUIT,
    "FAIL_PAYMENT": OrderState.FAILED,
}


class KakaoPay:
    """The driver; it holds nothing."""

    abilities = Abilities(
        accounts=PgAccountRules(
            provider="kakaopay",
            aliases=frozenset({"kakao"}),
            test_ids={"TCSUBSCRIP": ChannelKind.RECURRING, "TC0ONETIME": ChannelKind.ONE_TIME},
            live_id=re.compile(r"[0-9A-Za-z]{10}"),
            test_key_prefix="DEV",
            live_key_prefix="PRD",
            live_url=LIVE_URL,
        ),
        currencies=frozenset({Currency.KRW}),
        amount_min=1,
        zero_amount_issue=True,
        partial_cancel=True,
        resolution={
            Verb.PREPARE: Resolution.START_ANEW,
            Verb.APPROVE: Resolution.ORDER_LOOKUP,
            Verb.CHARGE: Resolution.KEY_STATUS,
            Verb.CANCEL: Resolution.ORDER_LOOKUP,
            Verb.DEACTIVATE: Resolution.KEY_STATUS,
        },
        decline_reasons=codes.REASONS,
        failure_causes=CAUSES,
        closed_codes=codes.CLOSED,
        faults=codes.FAULTS,
        unsure_codes=frozenset(codes.METHOD_UNSURE),
        left_differs_codes=codes.LEFT_DIFFERS,
        # Banks close around midnight, and then Money cannot be topped up from them (10, 8.4).
        nights=(Night(time(23, 30), time(0, 35), Method.MONEY),),
        window_lifetime=timedelta(minutes=15),
        card_key_in=False,
        cards=tuple(_AVAILABLE_CARDS),
        files=FileRules(after_the_day=timedelta(hours=8), days_kept=5),
    )

    # -- requests

    def prepare_request(self, account: Account, params: PrepareParams) -> PgRequest:
        """Build ready (5)."""
        body = _purchase(account, params) | {
            "approval_url": params.approval_url,
            "cancel_url": params.cancel_url,
            "fail_url": params.fail_url,
        }
        if params.method is not None:
            body["payment_method_type"] = _METHOD_NAMES[params.method]
        if params.card_codes is not None:
            body["available_cards"] = [_AVAILABLE_CARDS[c] for c in params.card_codes if c in _AVAILABLE_CARDS]
        if params.quota_months is not None:
            body["install_month"] = params.quota_months
        extras = {"return_custom_url": params.return_scheme, "custom_message": params.message}
        if any(extras.values()):
            body["custom_json"] = {name: value for name, value in extras.items() if value}
        return _request(account, "/ready", body)

    def approve_request(self, account: Account, params: ApproveParams) -> PgRequest:
        """Build approve (6). The total is sent along because KakaoPay then refuses any other."""
        body = {
            "cid": account.pg_merchant_id,
            "tid": params.pg_tid,
            "partner_order_id": params.order_id,
            "partner_user_id": params.user_id,
            "pg_token": params.pg_token,
            "total_amount": params.price.total.amount,
        }
        return _request(account, "/approve", body | _payload(params.mark))

    def charge_request(self, account: Account, params: ChargeParams) -> PgRequest:
        """Build subscription (7.1)."""
        return _request(
            account, "/subscription", _purchase(account, params) | {"sid": params.pg_key} | _payload(params.mark)
        )

    def cancel_request(self, account: Account, params: CancelParams) -> PgRequest:
        """Build cancel (7.5). With `cancel_available_amount` a repeat of a cancel that took effect is refused."""
        return _request(
            account,
            "/cancel",
            {
                "cid": account.pg_merchant_id,
                "tid": params.pg_tid,
                "cancel_amount": params.split.amount,
                "cancel_tax_free_amount": params.split.tax_free,
                "cancel_vat_amount": params.split.vat,
                "cancel_available_amount": params.available,
            }
            | _payload(params.mark),
        )

    def order_request(self, account: Account, pg_tid: str) -> PgRequest:
        """Build order (7.4)."""
        return _request(account, "/order", {"cid": account.pg_merchant_id, "tid": pg_tid})

    def key_request(self, account: Account, pg_key: str) -> PgRequest:
        """Build manage/subscription/status (7.3)."""
        return _request(account, "/manage/subscription/status", {"cid": account.pg_merchant_id, "sid": pg_key})

    def deactivate_request(self, account: Account, pg_key: str) -> PgRequest:
        """Build manage/subscription/inactive (7.2)."""
        return _request(account, "/manage/subscription/inactive", {"cid": account.pg_merchant_id, "sid": pg_key})

    def file_place_request(self, account: FileAccount, day: date) -> PgRequest:
        """Build the first call of the file API: the transactions of a day (12)."""
        query = urlencode({"target_date": f"{day:%Y%m%d}", "bucket_id": account.bucket})
        base = account.simulator_url or FILE_URL
        return _file_request(account, f"{base}/files/v1/payments/history?{query}", 1 << 20)

    def file_request(self, account: FileAccount, place: str) -> PgRequest:
        """Build the second: the file itself, which may be large."""
        return _file_request(account, place, FILE_BYTES_MAX)

    # -- replies

    def read_prepare(self, reply: PgReply) -> Prepared | Decline:
        """Read ready. Nothing is taken by it, so every error is a plain refusal."""
        if reply.status != 200:
            return _error(reply)[1]
        body = _object(reply)
        return Prepared(
            pg_tid=_id(body, "tid"),
            pc_url=_page(body, "next_redirect_pc_url"),
            mobile_url=_page(body, "next_redirect_mobile_url"),
            app_url=_page(body, "next_redirect_app_url"),
        )

    def read_approve(self, account: Account, params: ApproveParams, reply: PgReply) -> Result:
        """Read approve."""
        if reply.status != 200:
            return _refusal(reply, codes.NOTHING_TAKEN, codes.METHOD_ANSWERED)
        body = _object(reply)
        if _text(body, "tid") != params.pg_tid:
            raise Unreadable("the reply is about another tid")
        pg_key = body.get("sid") if params.issues_key else None
        if params.issues_key and not (isinstance(pg_key, str) and pg_key):
            raise Unreadable("the reply has no sid")
        return _approved(
            account, body, params.order_id, params.user_id, params.price.total.amount, pg_key, params.device
        )

    def read_charge(self, account: Account, params: ChargeParams, reply: PgReply) -> Result:
        """Read subscription."""
        if reply.status != 200:
            return _refusal(reply, codes.NOTHING_TAKEN, codes.METHOD_ANSWERED)
        body = _object(reply)
        if _text(body, "sid") != params.pg_key:
            raise Unreadable("the reply is about another sid")
        return _approved(account, body, params.order_id, params.user_id, params.price.total.amount, None, Device.PC)

    def read_cancel(self, params: CancelParams, reply: PgReply) -> Result:
        """Read cancel."""
        if reply.status != 200:
            return _refusal(reply, codes.NOTHING_CANCELLED, codes.CANCEL_ANSWERED)
        body = _object(reply)
        if _text(body, "tid") != params.pg_tid:
            raise Unreadable("the reply is about another tid")
        if _whole(_part(body, "approved_cancel_amount"), "total") != params.split.amount:
            raise Unreadable("the reply is about another amount")
        approval = Approval(params.pg_tid, None, _time(body.get("canceled_at")), pg_aid=_id(body, "aid"))
        return Result(Outcome.APPROVED, Proof.REPLY, approval=approval)

    def read_order(self, pg_tid: str, reply: PgReply) -> OrderFacts:
        """Read order. An error proves nothing about the order."""
        if reply.status != 200:
            raise Unreadable(_error(reply)[1].code)
        body = _object(reply)
        if _text(body, "tid") != pg_tid:
            raise Unreadable("the reply is about another tid")
        status = _text(body, "status")
        if status not in _STATES:
            raise Unreadable("the reply has a status that is not in the documentation")
        approved_at = body.get("approved_at")
        amount, quantity = _part(body, "amount"), body.get("quantity")
        gone = _part(body, "canceled_amount") if body.get("canceled_amount") else {"total": 0}
        cancels = _cancels_of(body, _whole(gone, "total"))
        return OrderFacts(
            state=_STATES[status],
            pg_state=status,
            order_id=_text(body, "partner_order_id"),
            total=_whole(amount, "total"),
            method=_METHODS.get(str(body.get("payment_method_type"))),
            approved_at=_time(approved_at) if approved_at else None,
            cancelled=_whole(gone, "total"),
            cancels=cancels,
            cancelled_tax_free=_whole(gone, "tax_free") if "tax_free" in gone else None,
            cancelled_vat=_whole(gone, "vat") if "vat" in gone else None,
            tax_free=_whole(amount, "tax_free") if "tax_free" in amount else 0,
            name=_optional(body, "item_name"),
            quantity=quantity if type(quantity) is int and quantity > 0 else 1,
            mark=_payload_of(body),
        )

    def read_key(self, pg_key: str, reply: PgReply) -> KeyFacts:
        """Read manage/subscription/status."""
        if reply.status != 200:
            raise Unreadable(_error(reply)[1].code)
        body = _object(reply)
        if _text(body, "sid") != pg_key:
            raise Unreadable("the reply is about another sid")
        last = body.get("last_approved_at")
        return KeyFacts(
            active=_text(body, "status") == "ACTIVE",
            chargeable=body.get("available") is True,
            method=_METHODS.get(str(body.get("payment_method_type"))),
            last_approved_at=_time(last) if last else None,
        )

    def read_deactivate(self, pg_key: str, reply: PgReply) -> Result:
        """Read manage/subscription/inactive. A SID that is already inactive or unknown is as ended as can be."""
        if reply.status != 200:
            code, _ = _error(reply)
            if code in {-750, -751}:
                return Result(Outcome.APPROVED, Proof.REPLY, approval=_NO_MONEY)
            return _refusal(reply, codes.NOTHING_TAKEN, {})
        body = _object(reply)
        if _text(body, "sid") != pg_key or _text(body, "status") != "INACTIVE":
            raise Unreadable("the reply does not say that this sid is inactive")
        return Result(Outcome.APPROVED, Proof.REPLY, approval=_NO_MONEY)

    def read_file_place(self, account: FileAccount, reply: PgReply) -> str | NotYet:
        """Read where a file lies. The key is sent there next, so only KakaoPay's own hosts will do."""
        if NO_FILE.encode() in reply.body[:1000]:
            return NotYet(NO_FILE)
        if reply.status != 200:
            raise Unreadable(f"HTTP {reply.status} {_file_error(reply)}".strip())
        url = _text(_object(reply), "url")
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise Unreadable("the file's address is none") from error
        if account.simulator_url is not None:
            # Its public address need not be reachable from here; its paths are.
            return f"{account.simulator_url}{parts.path}" + (f"?{parts.query}" if parts.query else "")
        host = parts.hostname or ""
        if parts.scheme != "https" or not host.endswith(FILE_HOSTS) or port not in {None, 443} or "@" in parts.netloc:
            raise Unreadable("the file's address is not KakaoPay's")
        return url

    def read_file(self, account: FileAccount, day: date, reply: PgReply) -> SettlementDay:
        """Read a file (12), all of it or nothing: what contradicts itself, or what we asked for, is no file."""
        if reply.status != 200:
            raise Unreadable(f"HTTP {reply.status} {_file_error(reply)}".strip())
        try:
            file = msgspec.json.decode(reply.body, type=_File)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise Unreadable(f"the file has not the documented form: {str(error)[:200]}") from error
        if file.bucket_id != account.bucket or file.target_date.replace("-", "") != f"{day:%Y%m%d}":
            raise Unreadable("the file is of another bucket or day")
        rows = tuple(_settlement_row(row) for row in file.data)
        if any(row.action is Action.PAYMENT and not _is_of(day, row.happened_at) for row in rows):
            raise Unreadable("the file has a payment of another day")
        if len({row.pg_aid for row in rows}) != len(rows):
            raise Unreadable("the file has an aid twice")
        _check_sums(file.statistics, rows)
        return SettlementDay(day, _file_time(file.file_created_at), rows)


def _is_of(day: date, reported: datetime) -> bool:
    """Return whether a time in a day's file may be of that day: at midnight the second that is told decides nothing."""
    return day in {day_of(reported - TIME_TOLERANCE), day_of(reported + TIME_TOLERANCE)}


class _Sum(msgspec.Struct):
    count: int
    amount: int


class _Statistics(msgspec.Struct):
    payment: _Sum
    cancel: _Sum


class _FileRow(msgspec.Struct):
    """One row; fields that nothing here acts on are left out."""

    cid: str
    tid: str
    aid: str
    approved_at: str
    partner_order_id: str
    payment_action_type: str
    currency: str
    amount: int
    payment_method_type: str | None = None


class _File(msgspec.Struct):
    bucket_id: str
    target_date: str
    statistics: _Statistics
    data: list[_FileRow]
    file_created_at: str = ""


_ACTIONS = {"PAYMENT": Action.PAYMENT, "CANCEL": Action.CANCEL, "ISSUED_SID": Action.ISSUE}


def _settlement_row(row: _FileRow) -> SettlementRow:
    action = _ACTIONS.get(row.payment_action_type)
    if action is None or row.currency != "KRW":
        raise Unreadable("the file has a row of a kind or currency that is not in the documentation")
    # Nobody has published the sign of a cancel; the kind of the row tells the direction.
    amount = abs(row.amount) if action is Action.CANCEL else row.amount
    if amount < 0 or (amount == 0) is not (action is Action.ISSUE) or amount > AMOUNT_MAX:
        raise Unreadable("the file has a row with an amount that cannot be")
    if not 0 < len(row.partner_order_id) <= 100 or "\0" in row.partner_order_id or len(row.cid) > 100:
        raise Unreadable("the file has a row without an order number")
    if _PG_ID.fullmatch(row.tid) is None or _PG_ID.fullmatch(row.aid) is None:
        raise Unreadable("the file has a row whose tid or aid is none")
    return SettlementRow(
        pg_merchant_id=row.cid,
        order_id=row.partner_order_id,
        pg_tid=row.tid,
        pg_aid=row.aid,
        action=action,
        amount=amount,
        method=_METHODS.get(row.payment_method_type or ""),
        happened_at=_time(row.approved_at),
    )


def _check_sums(statistics: _Statistics, rows: tuple[SettlementRow, ...]) -> None:
    """Raise Unreadable unless the rows are as many and as much as the file says of itself."""
    issues = sum(row.action is Action.ISSUE for row in rows)
    for name, action, sum_ in (
        ("payment", Action.PAYMENT, statistics.payment),
        ("cancel", Action.CANCEL, statistics.cancel),
    ):
        amounts = [row.amount for row in rows if row.action is action]
        # Whether an issue without payment counts among the payments is not known.
        counts = {len(amounts), len(amounts) + issues} if action is Action.PAYMENT else {len(amounts)}
        if abs(sum_.amount) != sum(amounts) or sum_.count not in counts:
            raise Unreadable(f"the file's own sum of {name} rows is another than that of its rows")


def _file_time(text: str) -> datetime | None:
    """Read when a file was written. Its form is not known for certain; another than expected is no time."""
    try:
        return _time(text.replace(" ", "T", 1))
    except Unreadable:
        return None


def _file_error(reply: PgReply) -> str:
    """Read what an error of the file API says, for people."""
    try:
        message = _object(reply).get("message")
    except Unreadable:
        return ""
    return "".join(c for c in str(message or "")[:200] if c.isprintable())


def _file_request(account: FileAccount, url: str, reply_bytes_max: int) -> PgRequest:
    return PgRequest(
        url=url,
        headers={"Authorization": f"PG_BIZAPI_KEY {account.secret}"},
        body=b"",
        connect_timeout_seconds=CONNECT_TIMEOUT_SECONDS,
        read_timeout_seconds=FILE_READ_TIMEOUT_SECONDS,
        method="GET",
        reply_bytes_max=reply_bytes_max,
    )


def _purchase(account: Account, params: PrepareParams | ChargeParams) -> dict[str, Any]:
    """Return what ready and subscription say alike: who buys what from whom, for how much."""
    return {
        "cid": account.pg_merchant_id,
        "partner_order_id": params.order_id,
        "partner_user_id": params.user_id,
        "item_name": params.name,
        "quantity": params.quantity,
        "total_amount": params.price.total.amount,
        "tax_free_amount": params.price.tax_free.amount,
        "vat_amount": params.price.vat.amount,
    }


def _payload(mark: str | None) -> dict[str, str]:
    """Return what KakaoPay keeps with the action and tells again in its order lookup (7.4)."""
    return {} if mark is None else {"payload": mark}


def _payload_of(body: Mapping[str, Any]) -> str | None:
    """Read what was sent along with the action that took the money; whatever is no such text was not ours."""
    actions = body.get("payment_action_details")
    for action in actions if isinstance(actions, list) else []:
        if isinstance(action, dict) and action.get("payment_action_type") == "PAYMENT":
            payload = action.get("payload")
            return payload if isinstance(payload, str) else None
    return None


def _cancels_of(body: Mapping[str, Any], cancelled: int) -> tuple[CancelAtPg, ...]:
    """Read each cancel of an order (7.4), all of them or nothing: a list that is not their sum proves nothing."""
    actions = body.get("payment_action_details")
    entries = [a for a in actions if isinstance(a, dict)] if isinstance(actions, list) else []
    cancels = []
    for action in entries:
        if action.get("payment_action_type") == "CANCEL":
            payload = action.get("payload")
            mark = payload if isinstance(payload, str) else None
            cancels.append(
                CancelAtPg(_id(action, "aid"), _time(action.get("approved_at")), _whole(action, "amount"), mark)
            )
    if any(c.amount <= 0 for c in cancels) or sum(c.amount for c in cancels) != cancelled:
        raise Unreadable("the cancels are not what was cancelled")
    if len({c.pg_aid for c in cancels}) != len(cancels):
        raise Unreadable("the reply has an aid twice")
    return tuple(sorted(cancels, key=lambda c: c.at))


_NO_MONEY = Approval(pg_tid=None, method=None, approved_at=None)


_written = json.JSONEncoder(ensure_ascii=False).encode


def _request(account: Account, path: str, body: Mapping[str, Any]) -> PgRequest:
    return PgRequest(
        url=account.base_url + _BASE + path,
        headers={"Authorization": f"SECRET_KEY {account.secret}", "Content-Type": "application/json"},
        body=_written(body).encode(),
        connect_timeout_seconds=CONNECT_TIMEOUT_SECONDS,
        read_timeout_seconds=READ_TIMEOUT_SECONDS,
    )


def _approved(
    account: Account,
    body: Mapping[str, Any],
    order_id: str,
    user_id: str,
    total: int,
    pg_key: str | None,
    device: Device,
) -> Result:
    """Read what approve and subscription share. Any contradiction to what we asked for proves nothing."""
    if _text(body, "partner_order_id") != order_id or _text(body, "cid") != account.pg_merchant_id:
        raise Unreadable("the reply is about another order")
    if _whole(_part(body, "amount"), "total") != total:
        raise Unreadable("the reply is about another amount")
    tid = _id(body, "tid")
    _id(body, "aid")
    method = _METHODS.get(_text(body, "payment_method_type"))
    if method is None:
        raise Unreadable("the reply has a payment method that is not in the documentation")
    card = body.get("card_info")
    return Result(
        Outcome.APPROVED,
        Proof.REPLY,
        approval=Approval(
            pg_tid=tid,
            method=method,
            approved_at=_time(body.get("approved_at")),
            card=_card(card) if method is Method.CARD and isinstance(card, dict) else None,
            pg_key=pg_key,
            receipt_url=_receipt_url(account, tid, order_id, user_id, device) if total else None,
        ),
    )


def _receipt_url(account: Account, tid: str, order_id: str, user_id: str, device: Device) -> str:
    """Return the address of the receipt of a payment (13)."""
    if account.base_url != LIVE_URL:
        host = account.base_url
    else:
        host = "https://mockup-pg-web.kakao.com" if account.test_mode else "https://pg-web.kakao.com"
    proof = hashlib.sha256((account.pg_merchant_id + tid + order_id + user_id).encode()).hexdigest()
    return f"{host}/v1/confirmation/{'m' if device is Device.MOBILE else 'p'}/{tid}/{proof}"


def _card(info: Mapping[str, Any]) -> CardDetails:
    """Read card_info, any of whose fields may be missing (6)."""
    months = str(info.get("install_month") or "0")
    return CardDetails(
        issuer_name=_optional(info, "kakaopay_issuer_corp") or _optional(info, "issuer_corp"),
        issuer_code=_optional(info, "kakaopay_issuer_corp_code") or _optional(info, "issuer_corp_code"),
        approval_number=_optional(info, "approved_id"),
        quota_months=int(months) if months.isdecimal() and len(months) <= 2 else 0,
        check_card={"신용": False, "체크": True}.get(str(info.get("card_type"))),
    )


def _refusal(reply: PgReply, certain_codes: Mapping[int, str], method_codes: Mapping[int, str]) -> Result:
    """Read an error of a call that moves money: declined where that is certain, unknown elsewhere."""
    code, decline = _error(reply)
    client_error = 400 <= reply.status < 500
    # Old lists give HTTP 500 for -780 to -782, newer ones 400 (8.2); no other status proves anything.
    readable = client_error or reply.status == HTTPStatus.INTERNAL_SERVER_ERROR
    answered = readable and code in method_codes and _method_is_sure(reply)
    refused = client_error and code in certain_codes
    silent = code is None and reply.status in codes.REFUSED_AT_THE_DOOR
    certain = answered or refused or silent
    return Result(Outcome.DECLINED if certain else Outcome.UNKNOWN, Proof.REPLY, decline=decline)


def _method_is_sure(reply: PgReply) -> bool:
    """Return whether the payment method's own answer is there and says for certain that nothing was moved (8.6)."""
    extras = _object(reply).get("extras")
    method_code = extras.get("method_result_code") if isinstance(extras, dict) else None
    if not isinstance(method_code, str) or not method_code.strip():
        return False
    return method_code.strip().upper() not in codes.METHOD_UNSURE


def _error(reply: PgReply) -> tuple[int | None, Decline]:
    """Read an error body of any shape: its number, and code and text for people (8.1)."""
    try:
        body = _object(reply)
        code = _whole(body, "error_code")
    except Unreadable:
        status = f"HTTP {reply.status}"
        return None, Decline(status, f"카카오페이가 {status} 으로 응답했습니다.", fault=codes.FAULTS.get(status))
    extras = body.get("extras")
    method: Mapping[str, Any] = extras if isinstance(extras, dict) else {}
    message = str(body.get("error_message") or "").strip()
    method_code, method_text = (
        str(method.get("method_result_code") or ""),
        str(method.get("method_result_message") or ""),
    )
    # Buyers read this: first what the card company or Money says in Korean, then the code and KakaoPay's English.
    sentences = [part for part in (method_text, message) if part]
    details = ", ".join(part for part in (method_code, *sentences[1:]) if part)
    text = " ".join([*sentences[:1], *([f"({details})"] if details else [])])
    if str(code) in codes.CLOSED:
        # People read this, and the PG's own words for it are nobody's language.
        text = codes.CLOSED_TEXT
    reason = codes.REASONS.get(method_code or str(code))
    sentence = text or f"카카오페이 오류 {code}"
    return code, Decline(
        f"{code} {method_code}".strip(),
        sentence,
        reason,
        key_gone=code in codes.KEY_GONE,
        maintenance=(method_code or str(code)) in codes.MAINTENANCE,
        fault=_fault(code, message) if not method_code else None,
    )


def _fault(code: int, message: str) -> Fault | None:
    """Return whether an error refuses the caller rather than the payment (8.2, 8.3)."""
    if code == -2 and any(name in message for name in codes.CONTRACT_PARAMETERS):
        return Fault.REFUSED
    return codes.FAULTS.get(str(code))


def _object(reply: PgReply) -> dict[str, Any]:
    try:
        body = json.loads(reply.body)
    except (ValueError, RecursionError) as error:
        raise Unreadable("the reply is no JSON") from error
    if not isinstance(body, dict):
        raise Unreadable("the reply is no JSON object")
    return body


def _part(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = body.get(name)
    if not isinstance(value, dict):
        raise Unreadable(f"{name} is no object")
    return value


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value or len(value) > 1000 or "\0" in value:
        raise Unreadable(f"{name} is missing or no text")
    return value


def _page(body: Mapping[str, Any], name: str) -> str:
    """Read the address of a page that buyers are sent to, as a browser takes it: a script would run as ours."""
    url = web_address.page_address(_text(body, name))
    if url is None:
        raise Unreadable(f"{name} is no address of a page")
    return url


def _id(body: Mapping[str, Any], name: str) -> str:
    """Read one of KakaoPay's ids. Their form is theirs (2); what is clearly none of them proves nothing."""
    value = _text(body, name)
    if _PG_ID.fullmatch(value) is None:
        raise Unreadable(f"{name} has not the form of an id")
    return value


def _optional(body: Mapping[str, Any], name: str) -> str | None:
    value = body.get(name)
    return value[:100].replace("\0", "") or None if isinstance(value, str) else None


def _whole(body: Mapping[str, Any], name: str) -> int:
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Unreadable(f"{name} is missing or no whole number")
    return value


def _time(value: object) -> datetime:
    """Read a KST wall-clock time without an offset (2)."""
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise Unreadable("a time is missing or malformed")
    try:
        return datetime.fromisoformat(value).replace(tzinfo=SEOUL).astimezone(UTC)
    except ValueError as error:
        raise Unreadable("a time is malformed") from error
