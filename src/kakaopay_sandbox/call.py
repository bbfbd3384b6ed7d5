"""One call of a merchant, read and authorized, on its way through the simulator."""

from dataclasses import dataclass
from typing import Any

from kakaopay_sandbox.call_log import Entry
from kakaopay_sandbox.errors import BadParameter, WrongCid, WrongCidSecret
from kakaopay_sandbox.faults import Fault, Faults
from kakaopay_sandbox.settings import Cid, Settings


@dataclass(slots=True)
class Call:
    """`fields` holds the values the operation knows, absent ones as None; `entry` is the line for the log.

    `is_doubled` says that another call was at work on the same SID or order when this one came.
    """

    fields: dict[str, Any]
    entry: Entry
    key: str
    origin: str
    now: int
    is_legacy: bool = False
    is_doubled: bool = False
    decline: Fault | None = None
    is_decline_used: bool = False

    def merchant(self, settings: Settings) -> Cid:
        """The CID that the call names, with its secret and its kind of key checked.

        Raises BadParameter for a test CID with a live key or the reverse (8.3), WrongCid, WrongCidSecret.
        """
        cid = settings.cid(self.fields["cid"])
        if cid is None:
            raise WrongCid
        if self.key.startswith("PRD" if cid.is_test else "DEV") and not self.is_legacy:
            raise BadParameter.invalid("cid")
        if cid.secret is not None and self.fields["cid_secret"] != cid.secret:
            raise WrongCidSecret
        return cid

    def arranged_decline(self, usual: str) -> str | None:
        """The result code a test has ordered for this call, or None; asked when the method is asked."""
        if self.decline is None:
            return None
        self.is_decline_used = True
        self.entry.fault = "+".join(name for name in (self.entry.fault, self.decline.kind.value) if name)
        return self.decline.method_result_code or usual

    def give_back_decline(self, faults: Faults) -> None:
        if self.decline is not None and not self.is_decline_used:
            faults.give_back(self.decline)
