"""What KakaoPay's errors prove: that nothing was moved, or nothing at all."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from maedal.payments.attempt import Decline, Fault, Outcome, Proof, Result
from maedal.pg.driver import PgReply, Unreadable
from maedal.pg.kakaopay import codes, fields


def refusal(reply: PgReply, certain_codes: Mapping[int, str], method_codes: Mapping[int, str]) -> Result:
    """Read an error of a call that moves money: declined where that is certain, unknown elsewhere."""
    code, decline = error_of(reply)
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
    extras = fields.json_object(reply).get("extras")
    method_code = extras.get("method_result_code") if isinstance(extras, dict) else None
    if not isinstance(method_code, str) or not method_code.strip():
        return False
    return method_code.strip().upper() not in codes.METHOD_UNSURE


def error_of(reply: PgReply) -> tuple[int | None, Decline]:
    """Read an error body of any shape: its number, and code and text for people (8.1)."""
    try:
        body = fields.json_object(reply)
        code = fields.whole(body, "error_code")
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
