"""The terms by which the search of the console finds at once: whole values, or how they begin.

They are made of the text that a payment is found by (search_text.py), so that what was erased there is no term. A term
that tells of a buyer leads to their customer_uid, where the payment has one: so that a customer who is charged every
month has each of their terms once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from maedal.storage.engine.steps import Together
from maedal.storage.payment_lists.reads import SearchField
from maedal.storage.payment_lists.search_text import END, MARKS, written

TERM_CHARS_MAX = 120
AFTER_ALL = "\x7f"
"""Comes after everything that a written text holds."""
DIGITS_MIN = 4
BREAKS = re.compile(f"[{MARKS[SearchField.IMP_UID]}-{END}]")
OF_BUYER = (SearchField.CUSTOMER_UID, SearchField.BUYER_NAME, SearchField.BUYER_EMAIL)

# The rows of the texts are locked since they were written, so that nobody erases one between this look and the terms.
TEXTS = Together(
    """
SELECT x.merchant_id, x.imp_uid, x.text, p.customer_uid, p.started_at
  FROM {items} JOIN payment_texts x ON x.merchant_id = item.merchant_id AND x.imp_uid = item.imp_uid
  JOIN payments p ON p.merchant_id = x.merchant_id AND p.imp_uid = x.imp_uid
""",
    ("merchant_id text", "imp_uid text"),
)
PUT_TERMS = Together(
    """
INSERT INTO search_terms (merchant_id, term, kind, subject, imp_uid)
SELECT item.merchant_id, item.term, item.kind, item.subject, item.imp_uid FROM {items} WHERE TRUE
ON CONFLICT (merchant_id, term, kind, subject) DO UPDATE SET imp_uid = excluded.imp_uid
""",
    ("merchant_id text", "term text", "kind text", "subject text", "imp_uid text"),
)
FORGET_TERMS = "DELETE FROM search_terms WHERE merchant_id = $1 AND imp_uid = $2"


def phone_digits(text: str) -> str:
    """Return the digits of a phone number as they are dialled in Korea, however it is divided; "" if it is none."""
    if not re.fullmatch(r"\+?[0-9][0-9 .()-]*", text, re.ASCII):
        return ""
    digits = re.sub(r"[^0-9]", "", text)
    return re.sub(r"^\+820?", "0", "+" + digits) if text.startswith("+82") else digits


def asked_terms(word: str) -> tuple[str, ...]:
    """Return how terms begin that a word asks for."""
    digits = phone_digits(word)
    asked = [written(word), digits if len(digits) >= DIGITS_MIN else ""]
    return tuple(dict.fromkeys(term[:TERM_CHARS_MAX] for term in asked if term))


def term_values(rows: Iterable[Any]) -> Sequence[tuple[str, str, str, str, str]]:
    """Return the rows of terms for rows of `TEXTS`, each term once, with the payment started last that tells it."""
    found: dict[tuple[str, str, str, str], str] = {}
    for row in sorted(rows, key=lambda row: (row["started_at"], row["imp_uid"])):
        merchant_id, imp_uid, customer_uid = row["merchant_id"], row["imp_uid"], row["customer_uid"]
        values = dict(zip(SearchField, BREAKS.split(row["text"])[1:], strict=False))
        buyer = {values[field] for field in OF_BUYER} | {phone_digits(values[SearchField.BUYER_TEL].rpartition(" ")[2])}
        subject = ("customer", customer_uid) if customer_uid else ("payment", imp_uid)
        for term in buyer:
            found[merchant_id, term[:TERM_CHARS_MAX], *subject] = imp_uid
        found[merchant_id, values[SearchField.PG_TID][:TERM_CHARS_MAX], "payment", imp_uid] = imp_uid
    # In one order, so that two workers never wait for each other.
    return sorted((*key, imp_uid) for key, imp_uid in found.items() if key[1])
