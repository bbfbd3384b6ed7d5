"""Once a day: keep outside the database which block is the newest, in the log of the process and in a file.

Whoever has the database and the key file can make a chain anew, and whoever cuts off its end leaves one that holds;
neither agrees with the anchors. A restored copy does not either: it is older than they are, until somebody says so.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol

import structlog

from maedal.flows.services import ServicesWith
from maedal.log_chain.anchor import AnchorFileError, AnchorLine, LineKind, standing_anchors
from maedal.log_chain.block import FIRST
from maedal.log_chain.problem import Problem, ProblemKind
from maedal.merchants.audit_entry import check_who_and_why
from maedal.payments.errors import InvalidParameter
from maedal.storage.log_chain.reads import HasLogChain, LogChainReads

_log = structlog.get_logger()

ANCHOR_EVERY = timedelta(days=1)


class AnchorLogsStore(HasLogChain, Protocol): ...


async def anchor_logs(services: ServicesWith[AnchorLogsStore]) -> AnchorLine | None:
    """Keep an anchor if the last one is a day old; return it. None is kept while the last one does not agree."""
    try:
        return await _anchor_if_due(services)
    except AnchorFileError as error:
        _log.error("log_chain_not_anchored", problem=str(error))
        return None


async def _anchor_if_due(services: ServicesWith[AnchorLogsStore]) -> AnchorLine | None:
    standing = standing_anchors(await services.anchors.lines())
    last, now = (standing[-1] if standing else None), services.people_clock.now()
    if last is not None and last.kind is LineKind.ANCHOR and now - last.at < ANCHOR_EVERY:
        return None
    # Without a file nobody could say that a failover which lost the last seconds was one: then the log tells alone.
    held = last if services.anchors.path is not None else None
    if held is not None and (problem := await hold_against(services.store.log_chain, held)) is not None:
        _log.error("log_chain_not_anchored", problem=problem.text())
        return None
    return await _anchor(services)


async def hold_against(reads: LogChainReads, anchor: AnchorLine) -> Problem | None:
    """Return how the chain disagrees with an anchor, if it does."""
    if anchor.number == 0:
        return None
    block = await reads.block(anchor.number)
    if block is None:
        newest = await reads.newest()
        older = newest is None or newest.number < anchor.number
        kind = ProblemKind.OLDER_THAN_ANCHOR if older else ProblemKind.BLOCK_REMOVED
        # The same at every look, so that the log says it once.
        have = "the newest block here is older" if older else "the block is gone"
        return Problem(kind, anchor.number, "", f"anchored {anchor.at:%Y-%m-%d %H:%M} UTC; {have}")
    if block.digest != anchor.digest:
        subject = f"anchored {anchor.at:%Y-%m-%d %H:%M} UTC; another block stands there"
        return Problem(ProblemKind.ANCHOR_DIFFERS, anchor.number, "", subject)
    return None


async def problem_of_last_anchor(services: ServicesWith[AnchorLogsStore]) -> Problem | None:
    """Return how the chain disagrees with the newest anchor, or why that cannot be told."""
    if services.anchors.path is None:
        return None
    try:
        standing = standing_anchors(await services.anchors.lines())
    except AnchorFileError as error:
        return Problem(ProblemKind.ANCHORS_UNREADABLE, 0, "", str(error))
    return await hold_against(services.store.log_chain, standing[-1]) if standing else None


async def accept_restore(services: ServicesWith[AnchorLogsStore], who: str, reason: str) -> AnchorLine:
    """Keep that an older copy of the database was put in place on purpose; return the line.

    Anchors of blocks that went with that count no more. Raises InvalidParameter when all of them agree.
    """
    check_who_and_why(who, reason)
    common, disagree = None, 0
    for anchor in standing_anchors(await services.anchors.lines()):
        if await hold_against(services.store.log_chain, anchor) is None:
            common = anchor if disagree == 0 else common
        else:
            disagree += 1
    if not disagree:
        raise InvalidParameter("reason", "every anchor agrees with the database: there is no restore to accept")
    number, digest = (common.number, common.digest) if common else (0, FIRST)
    line = AnchorLine(LineKind.RESTORED, number, digest, services.people_clock.now(), who, reason)
    await services.anchors.add(line)
    _log.warning("log_chain_restore_accepted", block=number, who=who, reason=reason, anchors=disagree)
    await _anchor(services)
    return line


async def _anchor(services: ServicesWith[AnchorLogsStore]) -> AnchorLine | None:
    newest = await services.store.log_chain.newest()
    if newest is None:
        return None
    anchor = AnchorLine(LineKind.ANCHOR, newest.number, newest.digest, services.people_clock.now())
    await services.anchors.add(anchor)
    _log.info("log_chain_anchored", block=anchor.number, digest=anchor.digest.hex())
    return anchor
