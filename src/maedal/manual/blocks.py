"""What the manual draws from the code itself: the picture of the states, and tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from html import escape
from typing import Any

from maedal.flows.outcome_writes import EVENTS
from maedal.manual.words import (
    EN,
    HAPPENINGS,
    KO,
    OUTCOMES,
    PG_CODES,
    PROOFS,
    RESOLUTIONS,
    STATUSES,
    VERBS,
    say,
)
from maedal.payments.attempt import Outcome, Proof, Verb
from maedal.payments.failure_causes import codes_of
from maedal.payments.failure_texts import EXPLANATIONS
from maedal.payments.moves import NEXT, Event, Status
from maedal.pg.driver import Resolution
from maedal.pg.kakaopay.driver import KakaoPay
from maedal.rest import unsupported
from maedal.rest.wire import STATUS

# -- the picture of the states

COLUMN, ROW, BOX_WIDTH, BOX_HEIGHT, LINE = 180, 112, 116, 50, 15
PLACES: dict[Status, tuple[int, int]] = {
    Status.READY: (1, 0),
    Status.CALLING: (1, 1),
    Status.PAID: (0, 2),
    Status.UNKNOWN: (1, 2),
    Status.FAILED: (2, 2),
    Status.CANCELLED: (0, 3),
}
"""Column and row of each state. The arrows between them follow from `NEXT`."""


def arrows() -> dict[tuple[Status, Status], list[Event]]:
    """Return the moves, those between the same two states together."""
    found: dict[tuple[Status, Status], list[Event]] = {}
    for (source, event), target in NEXT.items():
        found.setdefault((source, target), []).append(event)
    return found


def diagram(language: str) -> str:
    """Draw every state and every move of `NEXT` as an SVG picture."""
    left, height = COLUMN // 2 - BOX_WIDTH // 2 - 4, ROW * max(row for _, row in PLACES.values()) + BOX_HEIGHT + 56
    view = f"{left} 0 {3 * COLUMN - 2 * left} {height}"
    title = say(language, ("결제 상태와 이동", "States of a payment and its moves"))
    parts = [
        f'<svg viewBox="{view}" role="img" aria-label="{title}" xmlns="http://www.w3.org/2000/svg">',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">',
        '<path d="M0 0 8 4 0 8z"/></marker></defs>',
    ]
    for (source, target), events in arrows().items():
        line, x, y, anchor = _arrow(source, target)
        parts.append(f'<path class="move" d="{line}" marker-end="url(#tip)"/>')
        for above, event in enumerate(reversed(events)):
            label = escape(say(language, HAPPENINGS[event]))
            parts.append(f'<text class="label" x="{x}" y="{y - above * LINE}" text-anchor="{anchor}">{label}</text>')
    for status in Status:
        x, y = _middle(status)
        box = f'x="{x - BOX_WIDTH // 2}" y="{y - BOX_HEIGHT // 2}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="8"'
        name = escape(say(language, STATUSES[status]))
        parts += [
            f'<rect class="state {status}" {box}/>',
            f'<text class="state" x="{x}" y="{y - 2}" text-anchor="middle">{name}</text>',
            f'<text class="code" x="{x}" y="{y + 15}" text-anchor="middle">{status.name}</text>',
        ]
    return '<div class="diagram" tabindex="0">' + "".join(parts) + "</svg></div>"


def _middle(status: Status) -> tuple[int, int]:
    column, row = PLACES[status]
    return COLUMN // 2 + column * COLUMN, BOX_HEIGHT // 2 + 4 + row * ROW


def _arrow(source: Status, target: Status) -> tuple[str, int, int, str]:
    """Return the line of one arrow, and where its label stands."""
    (x, y), (to_x, to_y) = _middle(source), _middle(target)
    half_width, half_height = BOX_WIDTH // 2, BOX_HEIGHT // 2
    right, down = (1 if to_x > x else -1), (1 if to_y > y else -1)
    if source is target:
        bottom = y + half_height
        return f"M{x - 22} {bottom}c0 34 44 34 44 0", x, bottom + 42, "middle"
    if x == to_x:
        return f"M{x} {y + down * half_height}V{to_y - down * half_height}", x + 8, (y + to_y) // 2 + 4, "start"
    if y == to_y:
        return f"M{x + right * half_width} {y}H{to_x - right * half_width}", (x + to_x) // 2, y - 8, "middle"
    # Around a corner: the farther the state it comes from, the farther outside it arrives.
    outside = to_x + right * (24 * abs(PLACES[target][1] - PLACES[source][1]) - 28)
    line = f"M{x + right * half_width} {y}H{outside - right * 10}q{right * 10} 0 {right * 10} {down * 10}"
    return f"{line}V{to_y - down * half_height}", x + right * (half_width + 6), y - 8, "start" if right > 0 else "end"


# -- tables


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def moves_table(language: str) -> str:
    """List every move of `NEXT`: the same as the picture, for those who do not see it."""
    head = say(language, ("지금 상태|일어난 일|다음 상태", "State|What happens|Next state")).split("|")
    rows = [
        (
            f"{say(language, STATUSES[source])} `{source.name}`",
            f"{say(language, HAPPENINGS[event])} `{event.name}`",
            f"{say(language, STATUSES[target])} `{target.name}`",
        )
        for (source, event), target in NEXT.items()
    ]
    return table(head, rows)


def statuses_table(language: str) -> str:
    """List our states with the wire's."""
    head = say(language, ("maedal의 상태|뜻|API의 `status`", "State in maedal|Meaning|`status` in the API")).split("|")
    return table(head, [(f"`{s.name}`", say(language, STATUSES[s]), f"`{STATUS[s]}`") for s in Status])


def outcomes_table(language: str) -> str:
    """List the outcomes of a call that takes money, with what becomes of the payment."""
    words = (
        "호출의 결과|무엇을 아는가|결제의 다음 상태|API의 `status`",
        "Outcome|What we know|The payment becomes|`status` in the API",
    )
    rows = []
    for outcome in Outcome:
        after = NEXT[Status.CALLING, EVENTS[outcome]]
        rows.append((f"`{outcome.name}`", say(language, OUTCOMES[outcome]), f"`{after.name}`", f"`{STATUS[after]}`"))
    return table(say(language, words).split("|"), rows)


def proofs_table(language: str) -> str:
    """List what an outcome may rest on."""
    head = say(language, ("증거|뜻", "Proof|Meaning")).split("|")
    return table(head, [(f"`{proof.name}`", say(language, PROOFS[proof])) for proof in Proof])


def resolutions_table(language: str) -> str:
    """List how a lost answer of KakaoPay is clarified, call by call."""
    head = say(language, ("호출|응답을 잃어버리면", "Call|When its answer is lost")).split("|")
    known = KakaoPay.abilities.resolution
    return table(head, [(say(language, VERBS[verb]), say(language, RESOLUTIONS[known[verb]])) for verb in Verb])


def pg_codes_table(language: str) -> str:
    """List what KakaoPay's codes prove about the money."""
    head = say(language, ("무엇을 뜻하는가|코드", "What it proves|Codes")).split("|")
    return table(head, [(say(language, words), ", ".join(f"`{code}`" for code in known)) for known, words in PG_CODES])


def failure_causes_text(language: str) -> str:
    """Draw why payments fail: of each cause what is useful, what a buyer can be told, and the codes behind it."""
    words = {
        KO: ("재시도", "구매자에게", "할 일", "코드", "표에 없는 모든 코드"),
        EN: ("Retry", "For the buyer", "What to do", "Codes", "every code that is not here"),
    }[language]
    parts = []
    for cause, one in EXPLANATIONS.items():
        codes_behind = list(codes_of(cause, KakaoPay.abilities.failure_causes))
        points = [f"**{words[0]}** (`{one.retry}`): {say(language, one.when)}"]
        points.append(f"**{words[1]}**: “{say(language, one.buyer)}”")
        points.append(f"**{words[2]}**: {say(language, one.to_do)}")
        points.append(f"**{words[3]}**: {', '.join(f'`{code}`' for code in codes_behind) or words[4]}")
        parts.append(
            f"### {say(language, one.name)} (`{cause}`) {{ #{cause} }}\n\n" + "\n".join(f"- {text}" for text in points)
        )
    return "\n\n".join(parts) + "\n"


def unsupported_table(language: str) -> str:
    """List the calls that belong to other PGs, and how they are answered."""
    head = say(language, ("호출|HTTP|답", "Call|HTTP|Answer")).split("|")
    rows = [
        (f"`{', '.join(method.value for method in e.methods)} {plain_path(e.path)}`", str(e.status), e.message)
        for e in unsupported.TABLE
    ]
    return table(head, rows)


def plain_path(path: str) -> str:
    """Return a route's path without the types of its parts."""
    return re.sub(r"\{(\w+):\w+\}", r"{\1}", path)


def _everything_has_words() -> None:
    """A new state, event or outcome without words fails here, by name."""
    words: tuple[tuple[type[StrEnum], Mapping[Any, object]], ...] = (
        (Status, STATUSES),
        (Status, PLACES),
        (Event, HAPPENINGS),
        (Outcome, OUTCOMES),
        (Proof, PROOFS),
        (Verb, VERBS),
        (Resolution, RESOLUTIONS),
    )
    for kind, known in words:
        for member in kind:
            if member not in known:
                raise KeyError(f"maedal/manual has no words or place for {kind.__name__}.{member.name}; add them")


_everything_has_words()
