"""What KakaoPay's error codes prove about the money (docs/wire/kakaopay.md 8).

Each code stands in one table with the reason for its place. A code in no table proves nothing: UNKNOWN.
"""

from __future__ import annotations

from maedal.payments.attempt import DeclineReason, Fault

NOTHING_TAKEN: dict[int, str] = {
    -2: "the request was refused before it was looked at: a field is missing or malformed",
    -3: "API switched off for the app: refused at the door",
    -4: "account restricted: refused at the door",
    -5: "no permission: refused at the door",
    -10: "call quota used up: refused at the door",
    -301: "unknown app key: refused at the door",
    -400: "Authorization missing or malformed: refused at the door",
    -401: "wrong secret key: refused at the door",
    -402: "consent missing: refused at the door",
    -403: "API not switched on for the app: refused at the door",
    -404: "no such address: nobody read the request",
    -429: "daily quota used up: refused at the door",
    -701: "the buyer has not authenticated, so there was nothing to approve",
    -703: "point amount wrong: refused before approval",
    -704: "method amount wrong: refused before approval",
    -705: "method not supported: refused before approval",
    -706: "other partner_order_id than in ready: refused before approval",
    -707: "other partner_user_id than in ready: refused before approval",
    -708: "wrong pg_token: refused before approval",
    -721: "no such tid, so there was nothing to approve",
    -722: "amount information wrong: refused before approval",
    -723: "the time for paying is over",
    -724: "single payment amount wrong: refused before approval",
    -725: "total amount wrong: refused before approval",
    -726: "order information wrong: refused before approval",
    -730: "merchant app information wrong: refused before approval",
    -731: "CID wrong: refused before approval",
    -732: "GID wrong: refused before approval",
    -733: "cid_secret wrong: refused before approval",
    -750: "no such SID, so there was nothing to charge",
    -751: "the SID is inactive: the buyer or the merchant ended it",
    -752: "the SID's monthly number of charges is used up",
    -753: "other partner_user_id than the SID's: refused before the charge",
    -761: "the phone number is no KakaoTalk user's; said on the PC page only",
    -783: "the order's state forbids approval: the buyer quit, or an earlier approval was declined",
    -797: "above the limit for one payment: refused before the charge",
    -798: "our address is not allowed: refused at the door",
    -799: "the redirect domain is not registered: refused at the door",
}
"""The PG says that this call took no money."""

METHOD_ANSWERED: dict[int, str] = {
    -780: "approval failed; extras name the card company's or Money's answer",
    -782: "charge with a SID failed; extras name the card company's or Money's answer",
}
"""Declined if the payment method's own answer says so: `extras` name it, and it is none of `METHOD_UNSURE`.

KakaoPay gives `extras` as it needs to. Without them the method may have answered any of `METHOD_UNSURE`.
"""

PROVES_NOTHING: dict[int, str] = {
    -1: "internal error: how far it came is not said",
    -7: "maintenance: how far it came is not said",
    -500: "internal error: how far it came is not said",
    -503: "maintenance: how far it came is not said",
    -603: "the platform's own time limit ran out while it worked on the request",
    -702: "approved earlier: money was taken by a call whose answer we do not have",
    -710: "an answer about cancels; says nothing about this call",
    -711: "an answer about cancels; says nothing about this call",
    -781: "an answer about cancels; says nothing about this call",
    -784: "an answer about cancels; says nothing about this call",
    -785: "another request of ours is or was running and may have succeeded",
    -9798: "maintenance: how far it came is not said",
}
"""Known codes that leave the outcome unknown."""

NOTHING_CANCELLED: dict[int, str] = {
    **{code: NOTHING_TAKEN[code] for code in (
        -2, -3, -4, -5, -10, -301, -400, -401, -402, -403, -404, -429, -721, -730, -731, -732, -733, -798)},
    -710: "more than what is left: refused before the cancel",
    -711: "more than the original: refused before the cancel",
    -722: "amounts do not add up, or another amount is left than we believe: refused before the cancel",
    -784: "the payment's state forbids a cancel: nothing left, or never approved",
}  # fmt: skip
"""What a cancel may answer that proves that it gave nothing back (7.5)."""

LEFT_DIFFERS: frozenset[str] = frozenset({"-710", "-711", "-722", "-784"})
"""Codes of `NOTHING_CANCELLED` that a cancel hears when money was given back that we do not know of (7.5)."""

CANCEL_ANSWERED: dict[int, str] = {
    -781: "cancel failed; extras name the card company's or Money's answer",
}
"""Not cancelled if the payment method's own answer says so, as in `METHOD_ANSWERED`."""

METHOD_UNSURE: dict[str, str] = {
    "BANK_FIRM_UNKNOWN": "a bank transfer timed out and is still open for about 20 minutes",
    "USER_LOCKED": "another transaction of this buyer is running; it may be ours",
    "INTERNAL_ERROR": "Money cannot say what happened",
    "0010": "the card company timed out",
    "0290": "the card network timed out",
    "0504": "duplicate payment: an earlier one of ours may have gone through",
}
"""`method_result_code`s that do not prove that no money was taken (8.6)."""

CLOSED: frozenset[str] = frozenset({"-7", "-503", "-9798"})
"""Codes that say that KakaoPay itself is closed for a while, whoever asks (8.3)."""
CLOSED_TEXT = "카카오페이 점검 중입니다. 잠시 후 다시 시도해주세요."

MAINTENANCE: frozenset[str] = CLOSED | {"BANK_FIRM_UNAVAILABLE", "UNDER_CONSTRUCTION", "0299"}
"""Codes that say that KakaoPay, Money, the bank or the card company is closed for a while; not the buyer's fault."""

REASONS: dict[str, DeclineReason] = {
    "-752": DeclineReason.LIMIT,
    "LIMIT_USE_PER_DAY": DeclineReason.LIMIT,
    "0002": DeclineReason.LIMIT,
    "0015": DeclineReason.LIMIT,
    "3537": DeclineReason.LIMIT,
    "8326": DeclineReason.LIMIT,
    "NOT_ENOUGH_BALANCE": DeclineReason.BALANCE,
    "BANK_ACCOUNT_NOT_FOUND": DeclineReason.BALANCE,
    "LACK_BALANCE": DeclineReason.BALANCE,
    "0174": DeclineReason.BALANCE,
    "5039": DeclineReason.BALANCE,
    "BANK_ACCOUNT_BLOCKED": DeclineReason.LOCKED,
    "DEACTIVATED_USER_STATUS": DeclineReason.LOCKED,
    "0001": DeclineReason.LOCKED,
    "0032": DeclineReason.LOCKED,
    "5012": DeclineReason.LOCKED,
    "-750": DeclineReason.ENDED_KEY,
    "-751": DeclineReason.ENDED_KEY,
    "INVALID_PAYMENT_KEY": DeclineReason.ENDED_KEY,
    "USER_NOT_FOUND": DeclineReason.ENDED_KEY,
    "0004": DeclineReason.ENDED_KEY,
    "0026": DeclineReason.ENDED_KEY,
    "0196": DeclineReason.ENDED_KEY,
    "5005": DeclineReason.ENDED_KEY,
    "5019": DeclineReason.ENDED_KEY,
}
"""Error codes and `method_result_code`s after which a later charge may succeed (8.2, 8.4, 8.5).

A limit of the single payment (-797, LIMIT_ONE_TIME, 0016) is none of them: waiting does not raise it.
"""

KEY_GONE: frozenset[int] = frozenset({-750, -751})
"""The PG knows the billing key no more: the buyer, or the PG, has ended it there (8.2 and 10)."""

REFUSED_AT_THE_DOOR: frozenset[int] = frozenset({401, 403, 404, 429})
"""HTTP statuses that prove it even without a readable body: some 401 replies have none (8.3)."""

FAULTS: dict[str, Fault] = {
    **{str(code): Fault.REFUSED for code in (
        -3, -4, -5, -301, -400, -401, -402, -403, -404, -730, -731, -732, -733, -798, -799)},
    **{f"HTTP {status}": Fault.REFUSED for status in (401, 403, 404)},
    "-429": Fault.TOO_MANY,
    "HTTP 429": Fault.TOO_MANY,
    "-10": Fault.QUOTA,
}  # fmt: skip
"""Refusals at the door: KakaoPay has looked at who calls, and neither at the buyer nor at the payment (8.2, 8.3).

-429 stands for the day's quota in one list and for too many calls at once elsewhere: asking again soon, and ever less
often, suits both. No 5xx is among them, for none says how far it came. -2 is about this one request and no fault, but
for `CONTRACT_PARAMETERS`.
"""
CONTRACT_PARAMETERS = ("param(cid ", "param(cid_secret ")
"""Of a -2's text: a parameter that is the same in each call of the contract, such as a test CID under a live key."""
