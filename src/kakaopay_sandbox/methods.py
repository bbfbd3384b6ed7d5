"""What the simulated buyer can pay with: Money and a few invented cards (docs/wire/kakaopay.md, 6 and 10)."""

from dataclasses import dataclass, replace

from kakaopay_sandbox.book import Book

MONEY = "MONEY"
CARD = "CARD"
METHOD_TYPES = (MONEY, CARD)

# Codes a merchant may name in `available_cards`.
CARD_CODES = (
    "SHINHAN",
    "KB",
    "HYUNDAI",
    "LOTTE",
    "SAMSUNG",
    "NH",
    "BC",
    "HANA",
    "CITI",
    "KAKAOBANK",
    "KAKAOPAY",
    "WOORIONLY",
)

CREDIT = "신용"
CHECK = "체크"


@dataclass(frozen=True, slots=True)
class Card:
    """One card in the buyer's phone; `decline_code` set means that its company refuses every charge."""

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
    decline_code: str | None = None

    @property
    def is_check(self) -> bool:
        return self.card_type == CHECK


# The corporation codes of the first two are known; those of the others are invented.
WALLET_CARDS = (
    Card(
        "bc-suhyup",
        "BC",
        "수협 체크카드",
        "수협은행",
        "212",
        "비씨카드",
        "104",
        "수협카드",
        "13",
        "01",
        "621640",
        CHECK,
        "4821",
    ),
    Card(
        "hyundai",
        "HYUNDAI",
        "현대 신용카드",
        "현대카드",
        "106",
        "현대카드",
        "706",
        "현대카드",
        "08",
        "08",
        "402857",
        CREDIT,
        "1177",
    ),
    Card(
        "shinhan",
        "SHINHAN",
        "신한 신용카드",
        "신한카드",
        "107",
        "신한카드",
        "107",
        "신한카드",
        "06",
        "06",
        "451842",
        CREDIT,
        "9034",
    ),
    Card(
        "kb",
        "KB",
        "국민 체크카드",
        "KB국민카드",
        "101",
        "KB국민카드",
        "101",
        "국민카드",
        "02",
        "02",
        "557042",
        CHECK,
        "2650",
    ),
)
CARD_MID = "123456789"
CARD_ITEM_CODE = "000000"


class Wallet:
    """The buyer's Money balance, cards and PIN."""

    def __init__(self, book: Book, *, opening_balance: int, auto_top_up: bool, pin: str) -> None:
        self._book = book
        self.pin = pin
        with book.transaction():
            for card in WALLET_CARDS:
                book.run("INSERT INTO cards (id) VALUES (:id) ON CONFLICT DO NOTHING", id=card.id)
            if book.one("SELECT value FROM meta WHERE name = 'balance'") is None:
                book.remember("balance", str(opening_balance))
                book.remember("auto_top_up", "on" if auto_top_up else "off")

    @property
    def balance(self) -> int:
        return int(self._book.recall("balance", "0"))

    def set_balance(self, won: int) -> None:
        assert won >= 0, f"Money cannot be {won}"
        self._book.remember("balance", str(won))

    @property
    def auto_top_up(self) -> bool:
        """Whether a linked bank account fills up what is missing during a charge."""
        return self._book.recall("auto_top_up", "off") == "on"

    def set_auto_top_up(self, on: bool) -> None:
        self._book.remember("auto_top_up", "on" if on else "off")

    def cards(self) -> list[Card]:
        return [card for known in WALLET_CARDS if (card := self.card(known.id)) is not None]

    def card(self, card_id: str) -> Card | None:
        known = next((card for card in WALLET_CARDS if card.id == card_id), None)
        if known is None:
            return None
        row = self._book.one("SELECT decline_code FROM cards WHERE id = :id", id=card_id)
        return known if row is None else replace(known, decline_code=row["decline_code"])

    def set_decline_code(self, card_id: str, code: str | None) -> None:
        self._book.run("UPDATE cards SET decline_code = :code WHERE id = :id", id=card_id, code=code)

    def take(self, method_type: str, card_id: str | None, won: int) -> str | None:
        """Take `won` from the method; None when it was given, else the method's result code."""
        if won == 0:
            return None
        if method_type == CARD:
            card = self.card(card_id or "")
            return "0014" if card is None else card.decline_code
        missing = won - self.balance
        if missing > 0 and not self.auto_top_up:
            return "NOT_ENOUGH_BALANCE"
        self.set_balance(max(-missing, 0))
        return None

    def give_back(self, method_type: str, won: int) -> None:
        if method_type == MONEY:
            self.set_balance(self.balance + won)


def usual_decline(method_type: str | None) -> str:
    """The result code of a decline that does not name one."""
    return "NOT_ENOUGH_BALANCE" if method_type == MONEY else "0002"


def usual_cancel_decline(method_type: str | None) -> str:
    return "INVALID_CANCEL_STATUS" if method_type == MONEY else "6666"
