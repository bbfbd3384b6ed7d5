"""The manual: what MkDocs puts into the pages of docs/manual/ from the code itself, and what the pages must not lack.

    make manual          builds build/manual, Korean first and English under en/

A comment `<!-- code: NAME -->` in a page is replaced by what `BLOCKS` draws under that name, `<!-- file: PATH -->` by a
file of docs/examples as it is, which the tests run; each heading of the error
pages is followed by what is sent on the wire. What a page lacks is a warning, and with --strict the build then fails.
"""

from __future__ import annotations

import logging
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import typer

from maedal.checkout.errors import SDK_TEXTS, TEXTS
from maedal.cli.main import app
from maedal.errors import GatewayError
from maedal.flows.outcome_writes import EVENTS
from maedal.payments.attempt import Outcome, Proof, Verb
from maedal.payments.failure_causes import codes_of
from maedal.payments.failure_texts import EXPLANATIONS
from maedal.payments.moves import NEXT, Event, Status
from maedal.pg.driver import Resolution
from maedal.pg.kakaopay import codes
from maedal.pg.kakaopay.driver import KakaoPay
from maedal.rest import unsupported
from maedal.rest.errors import WIRE
from maedal.rest.router import router
from maedal.rest.wire import STATUS

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = DOCS / "manual"
EXAMPLES = DOCS / "examples"
OPTIONS = DOCS / "options.ko.toml"
CODE = {".py": "python", ".mjs": "js", ".js": "js", ".php": "php", ".java": "java"}
KO, EN = "ko", "en"
LANGUAGES = (KO, EN)
HANGUL = re.compile(r"[가-힣]")
_log = logging.getLogger("mkdocs.hooks.manual")

Words = tuple[str, str]
"""The same in Korean and in English."""


def say(language: str, words: Words) -> str:
    """Return the words in one language."""
    return words[LANGUAGES.index(language)]


STATUSES: dict[Status, Words] = {
    Status.READY: ("결제창 열림", "window open"),
    Status.CALLING: ("PG 호출 중", "calling the PG"),
    Status.UNKNOWN: ("결과 미확인", "outcome unknown"),
    Status.PAID: ("결제 완료", "paid"),
    Status.FAILED: ("결제 실패", "failed"),
    Status.CANCELLED: ("취소(전액·일부)", "cancelled"),
}
HAPPENINGS: dict[Event, Words] = {
    Event.BEGIN: ("결제 의도 저장", "intent committed"),
    Event.APPROVED: ("승인 확인", "approved"),
    Event.DECLINED: ("거절 확인", "declined"),
    Event.NOT_SENT: ("보내지 못함", "not sent"),
    Event.LOST: ("응답 유실", "answer lost"),
    Event.GIVEN_UP: ("결제 전에 끝남", "ended before paying"),
    Event.CANCEL: ("취소 완료", "cancelled"),
    Event.IDENTIFIED: ("거래번호 확인", "tid found"),
}
OUTCOMES: dict[Outcome, Words] = {
    Outcome.APPROVED: ("돈이 나갔다는 증거가 있습니다", "there is proof that money was taken"),
    Outcome.DECLINED: ("돈이 나가지 않았다는 증거가 있습니다", "there is proof that no money was taken"),
    Outcome.NOT_SENT: ("요청이 PG에 닿지 않은 것이 확실합니다", "certainly nothing reached the PG"),
    Outcome.UNKNOWN: (
        "그 밖의 모든 경우입니다. 다시 요청하지 않고 PG에 결과를 물어봅니다",
        "anything else: never repeated, the PG is asked what became of it",
    ),
}
PROOFS: dict[Proof, Words] = {
    Proof.REPLY: ("이 요청에 대한 PG의 응답", "the PG's own answer to this call"),
    Proof.NO_CONNECTION: ("연결이 맺어지지 않음", "the connection was never made"),
    Proof.ORDER_LOOKUP: ("PG 거래번호(tid)로 조회한 주문", "the PG's order, looked up by its transaction id (tid)"),
    Proof.KEY_STATUS: ("PG에서 조회한 빌링키의 상태", "the PG's status of the billing key"),
    Proof.SETTLEMENT_FILE: (
        "PG의 하루 거래내역 파일에 있는 우리 주문번호",
        "the PG's file of the day, by our own order number",
    ),
    Proof.MERCHANT_REFUSED: (
        "`confirm_url`이 거절했고 PG는 호출하지 않음",
        "`confirm_url` said no and the PG was not called",
    ),
    Proof.PERSON: ("담당자의 확인(감사 로그에 기록)", "a named person, who answers for it in the audit log"),
    Proof.IMPORTED: ("가져온 파일에 적힌 결과", "the file of an import, which tells what became of it"),
    Proof.LOST: ("없음: 응답을 받지 못함", "none: the answer was lost"),
}
VERBS: dict[Verb, Words] = {
    Verb.PREPARE: ("결제창 준비", "prepare the window"),
    Verb.APPROVE: ("구매자가 승인한 결제(와 빌링키 발급)", "approve with the buyer present (and issue a billing key)"),
    Verb.CHARGE: ("빌링키 결제", "charge a billing key"),
    Verb.CANCEL: ("취소", "cancel"),
    Verb.DEACTIVATE: ("빌링키 해지", "deactivate a billing key"),
}
RESOLUTIONS: dict[Resolution, Words] = {
    Resolution.START_ANEW: (
        "새로 시작합니다. 돈이 나가지도, 남는 것도 없습니다",
        "start anew: nothing was taken, nothing is kept",
    ),
    Resolution.ORDER_LOOKUP: (
        "PG 거래번호(tid)로 주문을 조회합니다",
        "look up the order by the PG's transaction id (tid)",
    ),
    Resolution.KEY_STATUS: ("빌링키 상태를 조회합니다", "look up the billing key's status"),
}
PG_CODES: tuple[tuple[Mapping[Any, str], Words], ...] = (
    (codes.NOTHING_TAKEN, ("결제되지 않은 것이 확실합니다", "certainly nothing was taken")),
    (
        codes.METHOD_ANSWERED,
        (
            "결제되지 않았습니다. 단, 결제수단의 응답이 마지막 줄의 코드라면 알 수 없습니다",
            "nothing was taken, unless the payment method answered with a code of the last row",
        ),
    ),
    (codes.PROVES_NOTHING, ("결과를 알 수 없습니다", "the outcome is unknown")),
    (
        codes.METHOD_UNSURE,
        (
            "카드사·머니의 응답 코드이며, 결과를 알 수 없습니다",
            "answers of the card company or of Money; the outcome is unknown",
        ),
    ),
)

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
        told = [f"**{words[0]}** (`{one.retry}`): {say(language, one.when)}"]
        told.append(f"**{words[1]}**: “{say(language, one.buyer)}”")
        told.append(f"**{words[2]}**: {say(language, one.to_do)}")
        told.append(f"**{words[3]}**: {', '.join(f'`{code}`' for code in codes_behind) or words[4]}")
        parts.append(
            f"### {say(language, one.name)} (`{cause}`) {{ #{cause} }}\n\n" + "\n".join(f"- {text}" for text in told)
        )
    return "\n\n".join(parts) + "\n"


def unsupported_table(language: str) -> str:
    """List the calls that belong to other PGs, and how they are answered."""
    head = say(language, ("호출|HTTP|답", "Call|HTTP|Answer")).split("|")
    rows = [
        (f"`{', '.join(method.value for method in e.methods)} {_plain(e.path)}`", str(e.status), e.message)
        for e in unsupported.TABLE
    ]
    return table(head, rows)


# -- settings and commands, from the files that hold both languages

_SETTING = re.compile(r"^\| `(MAEDAL_\w+)` \| `(\w+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
_COMMAND = re.compile(r"^## `(maedal [^`]+)`\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[([^\]]+)\]\((?!https?:)[^)]+\)")
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_DEFAULTS: dict[str, Words] = {"none, needed": ("없음(필수)", "none, needed"), "none": ("없음", "none")}


def settings_text(language: str) -> str:
    """Tell every setting in one language, with the example of docs/settings.md."""
    text = (DOCS / "settings.md").read_text()
    words = say(language, ("기본값 {default} · 파일에서는 `{in_file}`", "Default {default} · in the file `{in_file}`"))
    entries = []
    for name, in_file, default, english, korean in _SETTING.findall(text):
        shown = say(language, _DEFAULTS.get(default.strip(), (default, default))).strip()
        meaning = say(language, (korean, english)).strip().rstrip(".")
        entries += [
            f"## `{name}`",
            meaning[0].upper() + meaning[1:] + ".",
            words.format(default=shown, in_file=in_file),
        ]
    example = say(language, ("## 설정 파일의 예", "## An example of the file"))
    return "\n\n".join([*entries, example, *_FENCE.findall(text)])


def commands() -> dict[str, Any]:
    """Return every command by its words."""
    found: dict[str, Any] = {}

    def below(group: Any, before: str) -> None:
        for name, command in group.commands.items():
            words = f"{before} {name}"
            if hasattr(command, "commands"):
                below(command, words)
            else:
                found[words] = command

    below(typer.main.get_command(app), "maedal")
    return found


def options_of(command: Any) -> list[str]:
    """Return the options of a command."""
    return [p.opts[0] for p in command.params if p.param_type_name == "option" and p.opts[0] != "--help"]


@cache
def korean_options() -> dict[str, dict[str, str]]:
    """Return what each option is in Korean: by command, and under "*" what is the same in all."""
    return tomllib.loads(OPTIONS.read_text())


def korean_option(command: str, option: str) -> str | None:
    """Return what an option is in Korean, if that was written."""
    known = korean_options()
    return known.get(command, {}).get(option) or known["*"].get(option)


def commands_text(language: str) -> str:
    """Tell every command in one language, from docs/cli.md and the options' Korean."""
    known = commands()
    text = []
    for name, entry in _COMMAND.findall((DOCS / "cli.md").read_text()):
        prose, examples = _FENCE.sub("", entry), _FENCE.findall(entry)
        prose = _LINK.sub(r"\1", prose)  # it leads to a file beside docs/cli.md, which is no page of the manual
        if language == EN:
            prose = "\n".join(line for line in prose.splitlines() if not HANGUL.search(line))
        else:
            prose = "\n".join(line for line in prose.splitlines() if HANGUL.search(line) and not line.startswith("- "))
            options = options_of(known[name]) if name in known else []
            prose += "\n\n" + "\n".join(f"- `{option}` {korean_option(name, option) or ''}" for option in options)
        text.append("\n\n".join([f"## `{name}`", prose.strip(), *examples]))
    return "\n\n".join(text)


BLOCKS: dict[str, Callable[[str], str]] = {
    "diagram": diagram,
    "moves": moves_table,
    "statuses": statuses_table,
    "outcomes": outcomes_table,
    "proofs": proofs_table,
    "resolutions": resolutions_table,
    "pg-codes": pg_codes_table,
    "failure-causes": failure_causes_text,
    "unsupported": unsupported_table,
    "settings": settings_text,
    "commands": commands_text,
}

# -- errors

_ERROR = re.compile(r"^### ([A-Z][A-Z0-9_]+)\n(.*?)(?=^#|\Z)", re.MULTILINE | re.DOTALL)
WHAT_TO_DO: Words = ("**할 일.**", "**What to do.**")


def errors() -> dict[str, type[GatewayError]]:
    """Return every error that a caller can meet, by its code."""
    return {kind.code: kind for kind in (*WIRE, *TEXTS)}


def as_received(code: str, language: str) -> str:
    """Say how an error looks in the REST API and in the page's callback."""
    lines = []
    kind = errors().get(code)
    if kind in WIRE:
        row = WIRE[kind]
        lines.append(f"- REST: HTTP {row.status}, `code` {row.code}, “{_shown(row.text)}”")
    callback = TEXTS.get(kind) if kind is not None else (code, SDK_TEXTS[code]) if code in SDK_TEXTS else None
    if callback is not None:
        where = say(language, ("결제창 콜백", "The page's callback"))
        lines.append(f"- {where}: `error_code` `{callback[0]}`, “{_shown(callback[1])}”")
    return "\n".join(lines)


def _shown(text: str) -> str:
    return text.replace("{message}", "…")


# -- endpoints

_ENDPOINT = re.compile(r"^### ([A-Z]+(?:, [A-Z]+)*) (/\S*)$", re.MULTILINE)


def _plain(path: str) -> str:
    """Return a route's path without the types of its parts."""
    return re.sub(r"\{(\w+):\w+\}", r"{\1}", path)


def routes() -> list[tuple[str, str]]:
    """Return method and path of every route of the REST API but those of other PGs, which have a table of their own."""
    others = {(method.value, _plain(entry.path)) for entry in unsupported.TABLE for method in entry.methods}
    all_routes = {
        (str(method), _plain(route.path))
        for route in router.routes
        for method in getattr(route, "methods", ())
        if method != "OPTIONS"
    }
    return sorted(all_routes - others, key=lambda route: (route[1], route[0]))


def route_of(method: str, path: str) -> tuple[str, str] | None:
    """Return the route that answers what a heading names: the most exact of those that fit."""
    fitting = [route for route in routes() if route[0] == method and _pattern(route[1]).fullmatch(path)]
    return min(fitting, key=lambda route: ("{rest}" in route[1], route[1].count("{"))) if fitting else None


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"(\{\w+\})", path)
    kinds = {"{rest}": ".+"}
    return re.compile("".join(kinds.get(p, "[^/]+") if p.startswith("{") else re.escape(p) for p in parts))


# -- what is missing


def page_of(name: str, language: str) -> Path:
    """Return the file of a page."""
    return PAGES / (f"{name}.md" if language == KO else f"{name}.{language}.md")


def missing_errors(text: str, language: str) -> list[str]:
    """Say what the error page lacks, and where it has to be added."""
    where = page_of("errors", language).relative_to(ROOT)
    known = dict(errors().items()) | dict.fromkeys(SDK_TEXTS)
    entries = dict(_ERROR.findall(text))
    lacks = [
        f"{where}: the error {code} has no entry. Add a heading '### {code}', what it means, and a paragraph that "
        f"begins with '{say(language, WHAT_TO_DO)}'"
        for code in known
        if code not in entries
    ]
    lacks += [
        f"{where}: '### {code}' lacks a paragraph that begins with '{say(language, WHAT_TO_DO)}'"
        for code, entry in entries.items()
        if f"\n{say(language, WHAT_TO_DO)} " not in entry
    ]
    return lacks + [f"{where}: there is no error {code}; remove '### {code}'" for code in entries if code not in known]


def missing_endpoints(text: str, language: str) -> list[str]:
    """Say what the page of endpoints lacks, and where it has to be added."""
    where = page_of("endpoints", language).relative_to(ROOT)
    reply: set[tuple[str, str]] = set()
    lacks = []
    for methods, path in _ENDPOINT.findall(text):
        for method in methods.split(", "):
            route = route_of(method, path)
            if route is None:
                lacks.append(f"{where}: no route answers '{method} {path}'; correct or remove its heading")
            else:
                reply.add(route)
    lacks += [
        f"{where}: {method} {path} has no entry. Add a heading '### {method} {path}' and what it asks and answers"
        for method, path in routes()
        if (method, path) not in reply
    ]
    return lacks


def missing_settings(text: str) -> list[str]:
    """Say which settings docs/settings.md lacks, or tells in one language only."""
    from dataclasses import fields

    from maedal.settings import PREFIX, Settings

    rows = {name: (english, korean) for name, _, _, english, korean in _SETTING.findall(text)}
    names = [PREFIX + field.name.upper() for field in fields(Settings)]
    lacks = [f"docs/settings.md: {name} has no row; add one with both meanings" for name in names if name not in rows]
    for name, (english, korean) in rows.items():
        if not english.strip():
            lacks.append(f"docs/settings.md: {name} has no English meaning")
        if not HANGUL.search(korean):
            lacks.append(f"docs/settings.md: {name} has no Korean meaning")
    return lacks


def missing_commands(text: str, known_options: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Say which commands docs/cli.md lacks or tells in one language only, and which options lack their Korean."""
    entries = dict(_COMMAND.findall(text))
    lacks = []
    for name, command in commands().items():
        entry = _FENCE.sub("", entries.get(name, ""))
        prose = [line for line in entry.splitlines() if line and not line.startswith(("- ", "  "))]
        if not any(HANGUL.search(line) for line in prose):
            lacks.append(f"docs/cli.md: '## `{name}`' has no Korean line; add one below the English")
        if all(HANGUL.search(line) for line in prose):
            lacks.append(f"docs/cli.md: '## `{name}`' has no English line")
        lacks += [
            f'{OPTIONS.relative_to(ROOT)}: add the Korean of {option} of `{name}`: "{option}" = "…" under ["{name}"]'
            for option in options_of(command)
            if not (known_options.get(name, {}).get(option) or known_options.get("*", {}).get(option))
        ]
    return lacks


def missing() -> list[str]:
    """Say everything that the manual lacks."""
    lacks = []
    for language in LANGUAGES:
        lacks += missing_errors(page_of("errors", language).read_text(), language)
        lacks += missing_endpoints(page_of("endpoints", language).read_text(), language)
    lacks += missing_settings((DOCS / "settings.md").read_text())
    return lacks + missing_commands((DOCS / "cli.md").read_text(), korean_options())


# -- what MkDocs calls


def on_pre_build(config: Any) -> None:  # noqa: ARG001 - MkDocs passes it by this name
    """Warn of what the manual lacks; a strict build fails by it."""
    for lack in missing():
        _log.warning(lack)


def example(path: str) -> str:
    """Return a file of docs/examples as a block of code that is named after it."""
    file = EXAMPLES / path
    language = CODE[file.suffix]
    return f'```{language} title="{path.partition("/")[2]}"\n{file.read_text().rstrip()}\n```'


def filled(text: str, language: str) -> str:
    """Return a page with everything that comes from the code."""
    text = re.sub(r"^<!-- file: (\S+) -->$", lambda found: example(found[1]), text, flags=re.MULTILINE)
    text = re.sub(r"^<!-- code: ([a-z-]+) -->$", lambda found: BLOCKS[found[1]](language), text, flags=re.MULTILINE)
    return _ERROR.sub(lambda found: f"### {found[1]}\n\n{as_received(found[1], language)}\n{found[2]}", text)


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Fill a page."""
    return filled(markdown, EN if page.file.src_uri.endswith(".en.md") else KO)


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
                raise KeyError(f"tools/manual.py has no words or place for {kind.__name__}.{member.name}; add them")


_everything_has_words()
