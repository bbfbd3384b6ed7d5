"""What one simulator is told when it starts."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from kakaopay_sandbox.clock import wall_clock


class CidKind(StrEnum):
    """Whether a merchant code sells once or issues a SID for later charges."""

    ONE_TIME = "one_time"
    RECURRING = "recurring"


@dataclass(frozen=True, slots=True)
class Cid:
    """A merchant code; with a `secret`, every call must send it as `cid_secret`."""

    code: str
    kind: CidKind
    secret: str | None = None

    @property
    def is_test(self) -> bool:
        return self.code.startswith("TC")


# TCSEQUENCE is the documentation's for payments that try one method after another; what is special to it is not known.
TEST_CIDS = (
    Cid("TC0ONETIME", CidKind.ONE_TIME),
    Cid("TCSUBSCRIP", CidKind.RECURRING),
    Cid("TCSEQUENCE", CidKind.RECURRING),
)

# What is known of the limits of one payment (docs/wire/kakaopay.md, 9).
LEAST_AMOUNT = 100
MONEY_LIMIT = 2_000_000


# The public defaults of the file API; they guard nothing, for any test CID of a simulator is public too.
FILE_KEY = "5ca1ab1e" * 8
BUCKET_ID = "B000000001"
SETTLEMENT_BUCKET_ID = "B000000002"
DEPOSIT_BUCKET_ID = "B000000003"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything has a default that suits a developer; nothing is read from the environment.

    `public_url` is the origin that redirect URLs point at; None takes the host each request came to.
    `secret_keys` empty means that any key is accepted. `domains` None means that redirect domains are
    not checked (docs/wire/kakaopay.md, 3.5); a pattern may hold `*`. A key of `inactive_keys` is known, but
    its app has not switched the API on. `file_key` and the bucket of each kind open the files of each day, which
    hold the rows of every CID. `least_amount`, `one_time_limit` and, by Money, `money_limit` bound one payment.
    `names` are host names under which browsers reach it beside addresses and `localhost`, with `dotless_names` also
    those without a dot; None takes any. With a `control_key`, whoever asks `/_sim/` from another machine must name it.
    """

    data_file: Path | None = None
    public_url: str | None = None
    wall: Callable[[], datetime] = wall_clock
    monthly_limit: int = 20
    cids: tuple[Cid, ...] = TEST_CIDS
    secret_keys: tuple[str, ...] = ()
    inactive_keys: tuple[str, ...] = ()
    domains: tuple[str, ...] | None = None
    least_amount: int = LEAST_AMOUNT
    one_time_limit: int | None = None
    money_limit: int | None = MONEY_LIMIT
    opening_balance: int = 10_000_000
    auto_top_up: bool = False
    pin: str = "123456"
    file_key: str = field(default=FILE_KEY, repr=False)
    bucket_id: str = BUCKET_ID
    settlement_bucket_id: str = SETTLEMENT_BUCKET_ID
    deposit_bucket_id: str = DEPOSIT_BUCKET_ID
    names: frozenset[str] | None = None
    dotless_names: bool = False
    control_key: str | None = field(default=None, repr=False)
    _by_code: dict[str, Cid] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_code", {cid.code: cid for cid in self.cids})

    def cid(self, code: str) -> Cid | None:
        return self._by_code.get(code)
