"""What the simulated buyer can pay with: Money and a few invented cards (docs/wire/kakaopay.md, 6 and 10)."""

from dataclasses import dataclass, replace

from kakaopay_sandbox.amounts import Amount
from kakaopay_sandbox.database import Database

MONEY = "MONEY"
CARD = "CARD"
METHOD_TYPES = (MONEY, CARD)

# Codes a merchant may name in `available_cards`; those of the last row exist by agreement (5).
CARD_CODES = (
    *("SHINHAN", "KB", "HYUNDAI", "LOTTE", "SAMSUNG", "NH", "BC", "HANA", "CITI", "KAKAOBANK", "KAKAOPAY", "WOORIONLY"),
    *("SUHYUP", "SHINHYUP", "JEONBUK", "JEJU", "SC", "WOORI"),
)

CREDIT = "신용"
CHECK = "체크"


CARD_MID = "123456789"
CARD_ITEM_CODE = "000000"


@dataclass(frozen=True, slots=True)
class Card:
    """One card in the buyer's phone; `decline_code` set means that its company refuses every charge.

    `approved_id` set is the number of every approval by it; otherwise each has its own.
    """

    id: str
    code: str
    name: str
    issuer: str
    issuer_code: str
    purchaser: str
    purchaser_code: str
    legacy_issuer: str
    legacy_issuer_code: str
    legacy_purchaser_code: str
    bin: str
    card_type: str
    last_digits: str
    card_mid: str = CARD_MID
    card_item_code: str = CARD_ITEM_CODE
    approved_id: str | None = None
    decline_code: str | None = None

    @property
    def is_check(self) -> bool:
        return self.card_type == CHECK


# The first is what every capture of test mode tells, the second that of the documentation's samples, the third's codes
# are those of a live capture. The codes of the last are invented (docs/wire/kakaopay.md, 6).
WALLET_CARDS = (
    Card(
        id="shinhan",
        code="SHINHAN",
        name="신한 신용카드",
        issuer="신한",
        issuer_code="101",
        purchaser="신한",
        purchaser_code="701",
        legacy_issuer="신한카드",
        legacy_issuer_code="05",
        legacy_purchaser_code="05",
        bin="111111",
        card_type=CREDIT,
        last_digits="1111",
        card_mid="111111",
        card_item_code="111111",
        approved_id="11111111",
    ),
    Card(
        id="bc-suhyup",
        code="BC",
        name="수협 체크카드",
        issuer="수협은행",
        issuer_code="212",
        purchaser="비씨카드",
        purchaser_code="104",
        legacy_issuer="수협카드",
        legacy_issuer_code="13",
        legacy_purchaser_code="01",
        bin="621640",
        card_type=CHECK,
        last_digits="4821",
    ),
    Card(
        id="hyundai",
        code="HYUNDAI",
        name="현대 신용카드",
        issuer="현대카드",
        issuer_code="106",
        purchaser="현대카드",
        purchaser_code="706",
        legacy_issuer="현대카드",
        legacy_issuer_code="08",
        legacy_purchaser_code="08",
        bin="402857",
        card_type=CREDIT,
        last_digits="1177",
    ),
    Card(
        id="kb",
        code="KB",
        name="국민 체크카드",
        issuer="KB국민카드",
        issuer_code="902",
        purchaser="KB국민카드",
        purchaser_code="902",
        legacy_issuer="국민카드",
        legacy_issuer_code="02",
        legacy_purchaser_code="02",
        bin="557042",
        card_type=CHECK,
        last_digits="2650",
    ),
)


def card_named(card_id: str | None) -> Card:
    """A card as its company made it, whatever the buyer has made of it since."""
    return next(card for card in WALLET_CARDS if card.id == card_id)


class Wallet:
    """The buyer's Money balance, points, cards and PIN; and what KakaoPay takes off each payment."""

    def __init__(
        self, database: Database, *, opening_balance: int, auto_top_up: bool, pin: str, money_limit: int | None
    ) -> None:
        self._database = database
        self._money_limit = money_limit
        self.pin = pin
        with database.transaction():
            for card in WALLET_CARDS:
                database.run("INSERT INTO cards (id) VALUES (:id) ON CONFLICT DO NOTHING", id=card.id)
            if database.one("SELECT value FROM meta WHERE name = 'balance'") is None:
                database.remember("balance", str(opening_balance))
                database.remember("auto_top_up", "on" if auto_top_up else "off")

    @property
    def balance(self) -> int:
        return int(self._database.recall("balance", "0"))

    def set_balance(self, won: int) -> None:
        assert won >= 0, f"Money cannot be {won}"
        self._database.remember("balance", str(won))

    @property
    def auto_top_up(self) -> bool:
        """Whether a linked bank account fills up what is missing during a charge."""
        return self._database.recall("auto_top_up", "off") == "on"

    def set_auto_top_up(self, on: bool) -> None:
        self._database.remember("auto_top_up", "on" if on else "off")

    @property
    def points(self) -> int:
        """KakaoPay points, which the buyer may use instead of money."""
        return int(self._database.recall("points", "0"))

    def set_points(self, won: int) -> None:
        assert won >= 0, f"there cannot be {won} points"
        self._database.remember("points", str(won))

    @property
    def use_points(self) -> bool:
        """Whether automatic payments, in which the buyer has no part, use what points there are."""
        return self._database.recall("use_points", "off") == "on"

    def set_use_points(self, on: bool) -> None:
        self._database.remember("use_points", "on" if on else "off")

    @property
    def discount(self) -> int:
        """How many won KakaoPay grants off each payment."""
        return int(self._database.recall("discount", "0"))

    def set_discount(self, won: int) -> None:
        assert won >= 0, f"a discount cannot be {won}"
        self._database.remember("discount", str(won))

    def reduced(self, amount: Amount, *, use_points: bool) -> Amount:
        """The amount with the discount and the points that go into it."""
        discount = min(self.discount, amount.total)
        point = min(self.points, amount.total - discount) if use_points else 0
        return replace(amount, point=point, discount=discount)

    def cards(self) -> list[Card]:
        return [card for known in WALLET_CARDS if (card := self.card(known.id)) is not None]

    def card(self, card_id: str) -> Card | None:
        known = next((card for card in WALLET_CARDS if card.id == card_id), None)
        if known is None:
            return None
        row = self._database.one("SELECT decline_code FROM cards WHERE id = :id", id=card_id)
        return known if row is None else replace(known, decline_code=row["decline_code"])

    def set_decline_code(self, card_id: str, code: str | None) -> None:
        self._database.run("UPDATE cards SET decline_code = :code WHERE id = :id", id=card_id, code=code)

    def take(self, method_type: str, card_id: str | None, amount: Amount) -> str | None:
        """Take an amount from points and method; None when it was given, else the method's result code."""
        declined = self._take_from_method(method_type, card_id, amount.by_method)
        if declined is None:
            self.set_points(self.points - amount.point)
        return declined

    def _take_from_method(self, method_type: str, card_id: str | None, won: int) -> str | None:
        if won == 0:
            return None
        if method_type == CARD:
            card = self.card(card_id or "")
            return "0014" if card is None else card.decline_code
        if self._money_limit is not None and won > self._money_limit:
            return "LIMIT_ONE_TIME"
        missing = won - self.balance
        if missing > 0 and not self.auto_top_up:
            return "NOT_ENOUGH_BALANCE"
        self.set_balance(max(-missing, 0))
        return None

    def give_back(self, method_type: str, amount: Amount) -> None:
        self.set_points(self.points + amount.point)
        if method_type == MONEY:
            self.set_balance(self.balance + amount.by_method)


def usual_decline(method_type: str | None) -> str:
    """The result code of a decline that does not name one."""
    return "NOT_ENOUGH_BALANCE" if method_type == MONEY else "0002"


def usual_cancel_decline(method_type: str | None) -> str:
    return "INVALID_CANCEL_STATUS" if method_type == MONEY else "6666"
