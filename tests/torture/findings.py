"""What a torture finds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Finding:
    """One thing that is not as it must be; `subject` is the merchant_uid that it is about, if any."""

    kind: str
    subject: str
    text: str
