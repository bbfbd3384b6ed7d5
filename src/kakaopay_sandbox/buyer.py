"""What the buyer does with phone and browser (docs/wire/kakaopay.md, 4.1, 4.3 and 10)."""

from dataclasses import dataclass

from kakaopay_sandbox.call_log import Entry
from kakaopay_sandbox.errors import NotATalkUser
from kakaopay_sandbox.methods import CARD, METHOD_TYPES, MONEY, Card
from kakaopay_sandbox.orders import ENDED_BADLY, Order, Status
from kakaopay_sandbox.sandbox import Sandbox
from kakaopay_sandbox.sids import BY_BUYER, Sid

WRONG_PINS_MAX = 5
INSTALLMENTS = (0, 2, 3, 4, 5, 6, 12)
INSTALLMENT_WON_MIN = 50_000
NUMBER_WITHOUT_TALK = "01000000000"


class Impossible(Exception):
    """Something the buyer cannot do now; the sentence says why, `code` names it for the pages."""

    def __init__(self, code: str, sentence: str) -> None:
        self.code = code
        super().__init__(sentence)


@dataclass(frozen=True, slots=True)
class Choices:
    """What the phone offers for one order."""

    money: bool
    cards: list[Card]
    installments: list[int]


class Buyer:
    """The one simulated person; every act is a transaction of its own."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def order_by_page(self, page: str) -> Order | None:
        with self._sandbox.database.transaction():
            return self._sandbox.orders.find_by_page(page, self._now())

    def order(self, tid: str) -> Order | None:
        with self._sandbox.database.transaction():
            return self._sandbox.orders.find(tid, self._now())

    def choices(self, order: Order) -> Choices:
        """Methods that the merchant's restrictions leave; instalments fixed by the merchant exclude check cards."""
        cards_allowed = order.cards_allowed
        is_fixed = bool(order.install_allowed)
        cards = [
            card
            for card in self._sandbox.wallet.cards()
            if order.method_allowed != MONEY
            and (cards_allowed is None or card.code in cards_allowed)
            and not (is_fixed and card.is_check)
        ]
        if order.is_recurring:
            installments = [0]
        elif order.install_allowed is not None:
            installments = [order.install_allowed]
        elif order.total >= INSTALLMENT_WON_MIN:
            installments = list(INSTALLMENTS)
        else:
            installments = [0]
        return Choices(order.method_allowed != CARD, cards, installments)

    def ask_for_message(self, order: Order, phone_number: str) -> Order:
        """Have KakaoTalk send the payment message to a number, from the PC page. Raises NotATalkUser."""
        digits = "".join(character for character in phone_number if character.isdigit())
        if len(digits) not in {10, 11} or digits == NUMBER_WITHOUT_TALK:
            raise NotATalkUser
        with self._sandbox.database.transaction():
            if order.status is not Status.READY:
                return order
            return self._sandbox.orders.move(order, Status.SEND_TMS, self._now())

    def open_phone(self, order: Order) -> Order:
        """Look at the payment screen; only the first look changes anything."""
        if order.status not in {Status.READY, Status.SEND_TMS}:
            return order
        with self._sandbox.database.transaction():
            return self._sandbox.orders.move(order, Status.OPEN_PAYMENT, self._now())

    def choose_again(self, order: Order) -> Order:
        if order.status is not Status.SELECT_METHOD:
            return order
        with self._sandbox.database.transaction():
            return self._sandbox.orders.move(
                order,
                Status.OPEN_PAYMENT,
                self._now(),
                payment_method_type=None,
                card_id=None,
                install_month=0,
                uses_points=0,
            )

    def choose(
        self,
        order: Order,
        method_type: str,
        card_id: str | None,
        install_month: int,
        *,
        consents: bool,
        use_points: bool = False,
    ) -> Order:
        """Pick a method and whether points go first; for a subscription with consent to automatic payment.

        Raises Impossible.
        """
        order = self.choose_again(self.open_phone(order))
        if order.status is not Status.OPEN_PAYMENT:
            raise Impossible("not_open", f"the order is {order.status}, no method can be chosen")
        if order.is_recurring and not consents:
            raise Impossible("consent", "consent to automatic payment is missing")
        choices = self.choices(order)
        if method_type == MONEY and not choices.money:
            raise Impossible("method", "the merchant restricted this order to CARD")
        if method_type == CARD and card_id not in [card.id for card in choices.cards]:
            raise Impossible("method", "the merchant's restrictions leave no such card")
        if method_type not in METHOD_TYPES:
            raise Impossible("method", "no method is chosen")
        if method_type == MONEY or install_month not in choices.installments:
            install_month = choices.installments[0] if method_type == CARD else 0
        card = self._sandbox.wallet.card(card_id or "") if method_type == CARD else None
        if card is not None and card.is_check:
            install_month = 0
        with self._sandbox.database.transaction():
            return self._sandbox.orders.move(
                order,
                Status.SELECT_METHOD,
                self._now(),
                payment_method_type=method_type,
                card_id=card_id if method_type == CARD else None,
                install_month=install_month,
                uses_points=int(use_points),
            )

    def enter_pin(self, order: Order, pin: str) -> Order:
        """Authenticate; the fifth wrong PIN fails the order. Raises Impossible on a wrong one before."""
        if order.status is not Status.SELECT_METHOD:
            raise Impossible("not_open", f"the order is {order.status}, no PIN is asked")
        with self._sandbox.database.transaction():
            if pin == self._sandbox.wallet.pin:
                self._note("authenticate", "authenticated", order)
                return self._sandbox.orders.move(order, Status.AUTH_PASSWORD, self._now())
            wrong = order.wrong_pins + 1
            if wrong >= WRONG_PINS_MAX:
                self._note("authenticate", "failed", order)
                return self._sandbox.orders.move(order, Status.FAIL_AUTH_PASSWORD, self._now(), wrong_pins=wrong)
            self._sandbox.orders.note(order, wrong_pins=wrong)
        raise Impossible("pin", f"wrong PIN, {WRONG_PINS_MAX - wrong} tries left")

    def quit(self, order: Order) -> Order:
        """Stop; an order that has ended in any way stays what it is."""
        if not order.is_open:
            return order
        with self._sandbox.database.transaction():
            self._note("quit", "quit", order)
            return self._sandbox.orders.move(order, Status.QUIT_PAYMENT, self._now())

    def authenticate(self, order: Order, method_type: str, card_id: str | None, *, use_points: bool = False) -> Order:
        """Walk an order to AUTH_PASSWORD at once, as tests without a browser do. Raises Impossible."""
        if order.status is Status.AUTH_PASSWORD:
            return order
        if order.status in ENDED_BADLY or not order.is_open:
            raise Impossible("not_open", f"the order is {order.status} and cannot be authenticated")
        if method_type == CARD and card_id is None:
            card_id = next((card.id for card in self.choices(order).cards), None)
        order = self.choose(order, method_type, card_id, 0, consents=True, use_points=use_points)
        return self.enter_pin(order, self._sandbox.wallet.pin)

    def end_automatic_payment(self, sid: Sid) -> Sid:
        with self._sandbox.database.transaction():
            ended = self._sandbox.sids.end(sid, BY_BUYER, self._now())
            self._sandbox.call_log.write(
                Entry(
                    operation="end_by_buyer",
                    outcome="deactivated",
                    cid=sid.cid,
                    sid=sid.sid,
                    partner_user_id=sid.partner_user_id,
                    payment_method_type=sid.payment_method_type,
                ),
                self._now(),
            )
            return ended

    def _note(self, operation: str, outcome: str, order: Order) -> None:
        self._sandbox.call_log.write(
            Entry(
                operation=operation,
                outcome=outcome,
                cid=order.cid,
                tid=order.tid,
                partner_order_id=order.partner_order_id,
                partner_user_id=order.partner_user_id,
                amount=order.total,
                payment_method_type=order.payment_method_type,
            ),
            self._now(),
        )

    def _now(self) -> int:
        return self._sandbox.clock.now()


def way_back(order: Order) -> str | None:
    """Where the waiting page sends the browser now; None while the buyer is still at it (4.1)."""
    if order.approval_url is None:
        return None
    if order.status is Status.AUTH_PASSWORD or order.approved_at is not None:
        return with_pg_token(order.approval_url, order.pg_token or "")
    if order.status is Status.QUIT_PAYMENT:
        return order.cancel_url
    if order.status in ENDED_BADLY:
        return order.fail_url
    return None


def with_pg_token(url: str, pg_token: str) -> str:
    """Add `pg_token` to the query, keep what is there and the fragment, add nothing else (14.9)."""
    head, mark, fragment = url.partition("#")
    joint = "" if head.endswith(("?", "&")) else "&" if "?" in head else "?"
    return f"{head}{joint}pg_token={pg_token}{mark}{fragment}"
