"""Which of KakaoPay's codes have which cause (docs/wire/kakaopay.md 8.2 to 8.5). What is not here is unexplained.

Some of them prove nothing by themselves (`codes.PROVES_NOTHING`, `codes.METHOD_UNSURE`). They stand here for answers
that are shown before an outcome is known, and for payments that were imported.
"""

from __future__ import annotations

from collections.abc import Mapping

from maedal.payments.failure_causes import FailureCause
from maedal.pg.kakaopay import codes

_NUMBERS: Mapping[FailureCause, tuple[int, ...]] = {
    FailureCause.AMOUNT_LIMIT: (-797,),
    FailureCause.KEY_ENDED: (-750, -751),
    FailureCause.KEY_LIMIT: (-752,),
    FailureCause.DECLINED: (-780, -782),
    FailureCause.BUSY: (-785,),
    FailureCause.MAINTENANCE: (-7, -503, -9798),
    FailureCause.OUTAGE: (-1, -500, -603),
    FailureCause.CALL_LIMIT: (-10, -429),
    FailureCause.CHANNEL: (
        -3, -4, -5, -301, -400, -401, -402, -403, -404, -730, -731, -732, -733, -798, -799,
    ),
    FailureCause.REQUEST: (-2, -703, -704, -705, -706, -707, -708, -721, -722, -724, -725, -726, -753),
    FailureCause.LEFT: (-783,),
    FailureCause.EXPIRED: (-723,),
    FailureCause.NOT_AUTHENTICATED: (-701, -761),
    FailureCause.ALREADY_PAID: (-702,),
}  # fmt: skip
_METHODS: Mapping[FailureCause, tuple[str, ...]] = {
    FailureCause.BALANCE: ("NOT_ENOUGH_BALANCE", "BANK_ACCOUNT_NOT_FOUND", "LACK_BALANCE", "0174", "5039"),
    FailureCause.LIMIT: ("LIMIT_USE_PER_DAY", "0002", "0015", "3537", "8326"),
    FailureCause.AMOUNT_LIMIT: ("LIMIT_ONE_TIME", "0016"),
    FailureCause.WALLET_FULL: ("LIMIT_BALANCE",),
    FailureCause.METHOD_BLOCKED: ("BANK_ACCOUNT_BLOCKED", "DEACTIVATED_USER_STATUS", "0001", "0032", "5012"),
    FailureCause.METHOD_ENDED: ("USER_NOT_FOUND", "0004", "0026", "0196", "5005", "5019"),
    FailureCause.KEY_ENDED: ("INVALID_PAYMENT_KEY",),
    FailureCause.DECLINED: (
        "PAY_USER_NOT_FOUND", "BANK_NOT_CONNECTED", "0005", "0014", "0027", "0040", "0126", "1001", "5042",
    ),
    FailureCause.BUSY: ("USER_LOCKED", "BANK_FIRM_UNKNOWN", "0504"),
    FailureCause.MAINTENANCE: ("BANK_FIRM_UNAVAILABLE", "UNDER_CONSTRUCTION", "0299"),
    FailureCause.OUTAGE: ("BANK_FIRM_API_FAIL", "INTERNAL_ERROR", "0010", "0121", "0290"),
}  # fmt: skip
_OTHERS: Mapping[str, FailureCause] = {
    "FAIL_AUTH_PASSWORD": FailureCause.NOT_AUTHENTICATED,
    **{f"HTTP {status}": FailureCause.CHANNEL for status in (401, 403, 404)},
    "HTTP 429": FailureCause.CALL_LIMIT,
    **{f"HTTP {status}": FailureCause.OUTAGE for status in (500, 502, 503, 504)},
}

CAUSES: Mapping[str, FailureCause] = {
    **{str(number): cause for cause, numbers in _NUMBERS.items() for number in numbers},
    # With the number goes the code of the card company or of Money, as `Decline.code` writes them.
    **{
        f"{number} {method}": cause
        for number in sorted(codes.METHOD_ANSWERED, reverse=True)
        for cause, methods in _METHODS.items()
        for method in methods
    },
    **_OTHERS,
}
"""Of each code, as it is kept with a payment, the cause."""
