"""When the PG tells that a key was last approved: how far its replies may differ, and what that proves of a charge.

A lost charge is judged by the time of its key's last approval. The PG tells one approval's time several times: in the
reply to the charge, and later in the key's status, the order lookup, a cancel and the file of the day. These
differ: one capture of real replies has a second between them (docs/wire/kakaopay.md 2). So a time that is only a little
later than the known one is the known approval told anew, and a charge of the key waits until its own approval must be
told later than anything that is told of the one before (docs/decisions/0039-the-pgs-own-second.md).
"""

from __future__ import annotations

from datetime import datetime, timedelta

TIME_TOLERANCE = timedelta(seconds=2)
"""How far a time that the PG tells later may be from the time in the reply to the charge itself, either way."""
WHOLE_SECOND = timedelta(seconds=1)
"""The PG's times have whole seconds; two approvals this far apart never carry the same one."""
NODES_APART = timedelta(seconds=1)
"""How far the clocks of our own machines may be apart: one may have seen the approval, another begin the charge."""


def time_tolerance(*, in_reply: bool) -> timedelta:
    """Return how far a known approval may be told from the time that we know.

    What we know from the charge's own reply is the time that the others differ from; what was itself told later may be
    off to one side, and what is told next to the other.
    """
    return TIME_TOLERANCE if in_reply else 2 * TIME_TOLERANCE


def is_later_one(reported: datetime, known: datetime, *, in_reply: bool) -> bool:
    """Return whether `reported` can only be the time of a later approval than the one whose time is `known`."""
    return reported > known + time_tolerance(in_reply=in_reply)


def is_same_one(reported: datetime, known: datetime, *, in_reply: bool) -> bool:
    """Return whether `reported` is the time of the approval that is known; what is earlier still is neither."""
    return abs(reported - known) <= time_tolerance(in_reply=in_reply)


def settles_in(*, in_reply: bool) -> timedelta:
    """Return how long after an approval was seen the next charge of the key waits.

    From then on whatever the PG tells of that charge's approval, as early as it may, is later than whatever it tells of
    the one before, as late as it may: `is_later_one`.
    """
    latest_known = timedelta(0) if in_reply else TIME_TOLERANCE
    return latest_known + time_tolerance(in_reply=in_reply) + TIME_TOLERANCE + WHOLE_SECOND + NODES_APART
