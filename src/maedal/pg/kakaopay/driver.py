"""KakaoPay's current generation: JSON over HTTPS with a secret key (docs/wire/kakaopay.md).

Read top-down: abilities, requests, replies. What requests share is in `requests`, what replies mean in `answers`,
`refusals` and `files`, and each field of them in `fields`. No network, no clock, no storage.
"""

from __future__ import annotations

import re
from datetime import date, time, timedelta
from urllib.parse import urlencode, urlsplit

import msgspec

from maedal.maintenance.pause import Night
from maedal.merchants.channel import ChannelKind, PgAccountRules
from maedal.payments.attempt import Approval, Decline, Method, Outcome, Proof, Result, Verb
from maedal.payments.money import Currency
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
    PgReply,
    PgRequest,
    Prepared,
    PrepareParams,
    Resolution,
    Unreadable,
)
from maedal.pg.kakaopay import codes, fields
from maedal.pg.kakaopay.answers import NO_MONEY, STATES, approved, cancels_of, payload_of
from maedal.pg.kakaopay.failure_causes import CAUSES
from maedal.pg.kakaopay.files import FILE_HOSTS, NO_FILE, File, check_sums, file_error, file_time, is_of, settlement_row
from maedal.pg.kakaopay.refusals import error_of, refusal
from maedal.pg.kakaopay.requests import (
    AVAILABLE_CARDS,
    FILE_URL,
    LIVE_URL,
    METHOD_NAMES,
    file_key_request,
    payload,
    purchase,
    secret_key_request,
)
from maedal.reconciliation.settlement import Action, NotYet, SettlementDay

FILE_BYTES_MAX = 256 << 20
"""About three quarters of a million rows."""


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
        cards=tuple(AVAILABLE_CARDS),
        files=FileRules(after_the_day=timedelta(hours=8), days_kept=5),
    )

    # -- requests

    def prepare_request(self, account: Account, params: PrepareParams) -> PgRequest:
        """Build ready (5)."""
        body = purchase(account, params) | {
            "approval_url": params.approval_url,
            "cancel_url": params.cancel_url,
            "fail_url": params.fail_url,
        }
        if params.method is not None:
            body["payment_method_type"] = METHOD_NAMES[params.method]
        if params.card_codes is not None:
            body["available_cards"] = [AVAILABLE_CARDS[c] for c in params.card_codes if c in AVAILABLE_CARDS]
        if params.quota_months is not None:
            body["install_month"] = params.quota_months
        extras = {"return_custom_url": params.return_scheme, "custom_message": params.message}
        if any(extras.values()):
            body["custom_json"] = {name: value for name, value in extras.items() if value}
        return secret_key_request(account, "/ready", body)

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
        return secret_key_request(account, "/approve", body | payload(params.mark))

    def charge_request(self, account: Account, params: ChargeParams) -> PgRequest:
        """Build subscription (7.1)."""
        return secret_key_request(
            account, "/subscription", purchase(account, params) | {"sid": params.pg_key} | payload(params.mark)
        )

    def cancel_request(self, account: Account, params: CancelParams) -> PgRequest:
        """Build cancel (7.5). With `cancel_available_amount` a repeat of a cancel that took effect is refused."""
        return secret_key_request(
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
            | payload(params.mark),
        )

    def order_request(self, account: Account, pg_tid: str) -> PgRequest:
        """Build order (7.4)."""
        return secret_key_request(account, "/order", {"cid": account.pg_merchant_id, "tid": pg_tid})

    def key_request(self, account: Account, pg_key: str) -> PgRequest:
        """Build manage/subscription/status (7.3)."""
        return secret_key_request(
            account, "/manage/subscription/status", {"cid": account.pg_merchant_id, "sid": pg_key}
        )

    def deactivate_request(self, account: Account, pg_key: str) -> PgRequest:
        """Build manage/subscription/inactive (7.2)."""
        return secret_key_request(
            account, "/manage/subscription/inactive", {"cid": account.pg_merchant_id, "sid": pg_key}
        )

    def file_place_request(self, account: FileAccount, day: date) -> PgRequest:
        """Build the first call of the file API: the transactions of a day (12)."""
        query = urlencode({"target_date": f"{day:%Y%m%d}", "bucket_id": account.bucket})
        base = account.simulator_url or FILE_URL
        return file_key_request(account, f"{base}/files/v1/payments/history?{query}", 1 << 20)

    def file_request(self, account: FileAccount, place: str) -> PgRequest:
        """Build the second: the file itself, which may be large."""
        return file_key_request(account, place, FILE_BYTES_MAX)

    # -- replies

    def read_prepare(self, reply: PgReply) -> Prepared | Decline:
        """Read ready. Nothing is taken by it, so every error is a plain refusal."""
        if reply.status != 200:
            return error_of(reply)[1]
        body = fields.json_object(reply)
        return Prepared(
            pg_tid=fields.pg_id(body, "tid"),
            pc_url=fields.page(body, "next_redirect_pc_url"),
            mobile_url=fields.page(body, "next_redirect_mobile_url"),
            app_url=fields.page(body, "next_redirect_app_url"),
        )

    def read_approve(self, account: Account, params: ApproveParams, reply: PgReply) -> Result:
        """Read approve."""
        if reply.status != 200:
            return refusal(reply, codes.NOTHING_TAKEN, codes.METHOD_ANSWERED)
        body = fields.json_object(reply)
        if fields.text(body, "tid") != params.pg_tid:
            raise Unreadable("the reply is about another tid")
        pg_key = body.get("sid") if params.issues_key else None
        if params.issues_key and not (isinstance(pg_key, str) and pg_key):
            raise Unreadable("the reply has no sid")
        return approved(
            account, body, params.order_id, params.user_id, params.price.total.amount, pg_key, params.device
        )

    def read_charge(self, account: Account, params: ChargeParams, reply: PgReply) -> Result:
        """Read subscription."""
        if reply.status != 200:
            return refusal(reply, codes.NOTHING_TAKEN, codes.METHOD_ANSWERED)
        body = fields.json_object(reply)
        if fields.text(body, "sid") != params.pg_key:
            raise Unreadable("the reply is about another sid")
        return approved(account, body, params.order_id, params.user_id, params.price.total.amount, None, Device.PC)

    def read_cancel(self, params: CancelParams, reply: PgReply) -> Result:
        """Read cancel."""
        if reply.status != 200:
            return refusal(reply, codes.NOTHING_CANCELLED, codes.CANCEL_ANSWERED)
        body = fields.json_object(reply)
        if fields.text(body, "tid") != params.pg_tid:
            raise Unreadable("the reply is about another tid")
        if fields.whole(fields.part(body, "approved_cancel_amount"), "total") != params.split.amount:
            raise Unreadable("the reply is about another amount")
        approval = Approval(
            params.pg_tid, None, fields.moment(body.get("canceled_at")), pg_aid=fields.pg_id(body, "aid")
        )
        return Result(Outcome.APPROVED, Proof.REPLY, approval=approval)

    def read_order(self, pg_tid: str, reply: PgReply) -> OrderFacts:
        """Read order. An error proves nothing about the order."""
        if reply.status != 200:
            raise Unreadable(error_of(reply)[1].code)
        body = fields.json_object(reply)
        if fields.text(body, "tid") != pg_tid:
            raise Unreadable("the reply is about another tid")
        status = fields.text(body, "status")
        if status not in STATES:
            raise Unreadable("the reply has a status that is not in the documentation")
        approved_at = body.get("approved_at")
        amount, quantity = fields.part(body, "amount"), body.get("quantity")
        gone = fields.part(body, "canceled_amount") if body.get("canceled_amount") else {"total": 0}
        cancels = cancels_of(body, fields.whole(gone, "total"))
        return OrderFacts(
            state=STATES[status],
            pg_state=status,
            order_id=fields.text(body, "partner_order_id"),
            total=fields.whole(amount, "total"),
            method=fields.METHODS.get(str(body.get("payment_method_type"))),
            approved_at=fields.moment(approved_at) if approved_at else None,
            cancelled=fields.whole(gone, "total"),
            cancels=cancels,
            cancelled_tax_free=fields.whole(gone, "tax_free") if "tax_free" in gone else None,
            cancelled_vat=fields.whole(gone, "vat") if "vat" in gone else None,
            tax_free=fields.whole(amount, "tax_free") if "tax_free" in amount else 0,
            name=fields.optional(body, "item_name"),
            quantity=quantity if type(quantity) is int and quantity > 0 else 1,
            mark=payload_of(body),
        )

    def read_key(self, pg_key: str, reply: PgReply) -> KeyFacts:
        """Read manage/subscription/status."""
        if reply.status != 200:
            raise Unreadable(error_of(reply)[1].code)
        body = fields.json_object(reply)
        if fields.text(body, "sid") != pg_key:
            raise Unreadable("the reply is about another sid")
        last = body.get("last_approved_at")
        return KeyFacts(
            active=fields.text(body, "status") == "ACTIVE",
            chargeable=body.get("available") is True,
            method=fields.METHODS.get(str(body.get("payment_method_type"))),
            last_approved_at=fields.moment(last) if last else None,
        )

    def read_deactivate(self, pg_key: str, reply: PgReply) -> Result:
        """Read manage/subscription/inactive. A SID that is already inactive or unknown is as ended as can be."""
        if reply.status != 200:
            code, _ = error_of(reply)
            if code in {-750, -751}:
                return Result(Outcome.APPROVED, Proof.REPLY, approval=NO_MONEY)
            return refusal(reply, codes.NOTHING_TAKEN, {})
        body = fields.json_object(reply)
        if fields.text(body, "sid") != pg_key or fields.text(body, "status") != "INACTIVE":
            raise Unreadable("the reply does not say that this sid is inactive")
        return Result(Outcome.APPROVED, Proof.REPLY, approval=NO_MONEY)

    def read_file_place(self, account: FileAccount, reply: PgReply) -> str | NotYet:
        """Read where a file lies. The key is sent there next, so only KakaoPay's own hosts will do."""
        if NO_FILE.encode() in reply.body[:1000]:
            return NotYet(NO_FILE)
        if reply.status != 200:
            raise Unreadable(f"HTTP {reply.status} {file_error(reply)}".strip())
        url = fields.text(fields.json_object(reply), "url")
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
            raise Unreadable(f"HTTP {reply.status} {file_error(reply)}".strip())
        try:
            file = msgspec.json.decode(reply.body, type=File)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise Unreadable(f"the file has not the documented form: {str(error)[:200]}") from error
        if file.bucket_id != account.bucket or file.target_date.replace("-", "") != f"{day:%Y%m%d}":
            raise Unreadable("the file is of another bucket or day")
        rows = tuple(settlement_row(row) for row in file.data)
        if any(row.action is Action.PAYMENT and not is_of(day, row.happened_at) for row in rows):
            raise Unreadable("the file has a payment of another day")
        if len({row.pg_aid for row in rows}) != len(rows):
            raise Unreadable("the file has an aid twice")
        check_sums(file.statistics, rows)
        return SettlementDay(day, file_time(file.file_created_at), rows)
