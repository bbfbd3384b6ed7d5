"""The manual's pages as they are read: what docs/manual holds, filled with what comes from the code and its files.

A comment `<!-- code: NAME -->` in a page is replaced by what `BLOCKS` draws under that name, `<!-- file: PATH -->` by a
file of docs/examples as it is, which the tests run; each heading of the error pages is followed by what is sent on the
wire. A wheel has these files inside the package, a checkout has them in docs/.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import Path

from maedal.checkout.errors import SDK_TEXTS, TEXTS
from maedal.errors import GatewayError
from maedal.manual.blocks import (
    diagram,
    failure_causes_text,
    moves_table,
    outcomes_table,
    pg_codes_table,
    proofs_table,
    resolutions_table,
    statuses_table,
    unsupported_table,
)
from maedal.manual.words import EN, KO, Words, say
from maedal.rest.errors import WIRE

HERE = Path(__file__).parent
DOCS = HERE / "docs" if (HERE / "docs").is_dir() else HERE.parents[2] / "docs"
PAGES, EXAMPLES, OPTIONS = DOCS / "manual", DOCS / "examples", DOCS / "options.ko.toml"
CODE = {".py": "python", ".mjs": "js", ".js": "js", ".php": "php", ".java": "java", ".sh": "sh"}
HANGUL = re.compile(r"[가-힣]")

# -- settings and commands, from the files that hold both languages

SETTING = re.compile(r"^\| `(MAEDAL_\w+)` \| `(\w+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
COMMAND = re.compile(r"^## `(maedal [^`]+)`\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
OPTION = re.compile(r"^- `(--[a-z-]+)`", re.MULTILINE)
_LINK = re.compile(r"\[([^\]]+)\]\((?!https?:)[^)]+\)")
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_DEFAULTS: dict[str, Words] = {"none, needed": ("없음(필수)", "none, needed"), "none": ("없음", "none")}


def settings_text(language: str) -> str:
    """Tell every setting in one language, with the example of docs/settings.md."""
    text = (DOCS / "settings.md").read_text("utf-8")
    words = say(language, ("기본값 {default} · 파일에서는 `{in_file}`", "Default {default} · in the file `{in_file}`"))
    entries = []
    for name, in_file, default, english, korean in SETTING.findall(text):
        shown = say(language, _DEFAULTS.get(default.strip(), (default, default))).strip()
        meaning = say(language, (korean, english)).strip().rstrip(".")
        entries += [
            f"## `{name}`",
            meaning[0].upper() + meaning[1:] + ".",
            words.format(default=shown, in_file=in_file),
        ]
    example = say(language, ("## 설정 파일의 예", "## An example of the file"))
    return "\n\n".join([*entries, example, *FENCE.findall(text)])


@cache
def korean_options() -> dict[str, dict[str, str]]:
    """Return what each option is in Korean: by command, and under "*" what is the same in all."""
    return tomllib.loads(OPTIONS.read_text("utf-8"))


def korean_option(command: str, option: str) -> str | None:
    """Return what an option is in Korean, if that was written."""
    known = korean_options()
    return known.get(command, {}).get(option) or known["*"].get(option)


def commands_text(language: str) -> str:
    """Tell every command in one language, from docs/cli.md and the options' Korean."""
    text = []
    for name, entry in COMMAND.findall((DOCS / "cli.md").read_text("utf-8")):
        prose, examples = FENCE.sub("", entry), FENCE.findall(entry)
        prose = _LINK.sub(r"\1", prose)  # it leads to a file beside docs/cli.md, which is no page of the manual
        if language == EN:
            prose = "\n".join(line for line in prose.splitlines() if not HANGUL.search(line))
        else:
            prose = "\n".join(line for line in prose.splitlines() if HANGUL.search(line) and not line.startswith("- "))
            options = OPTION.findall(entry)
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

ERROR = re.compile(r"^### ([A-Z][A-Z0-9_]+)\n(.*?)(?=^#|\Z)", re.MULTILINE | re.DOTALL)
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


def page_of(name: str, language: str) -> Path:
    """Return the file of a page."""
    return PAGES / (f"{name}.md" if language == KO else f"{name}.{language}.md")


def example(path: str) -> str:
    """Return a file of docs/examples as a block of code that is named after it."""
    file = EXAMPLES / path
    language = CODE[file.suffix]
    return f'```{language} title="{path.partition("/")[2]}"\n{file.read_text("utf-8").rstrip()}\n```'


def filled(text: str, language: str) -> str:
    """Return a page with everything that comes from the code."""
    text = re.sub(r"^<!-- file: (\S+) -->$", lambda found: example(found[1]), text, flags=re.MULTILINE)
    text = re.sub(r"^<!-- code: ([a-z-]+) -->$", lambda found: BLOCKS[found[1]](language), text, flags=re.MULTILINE)
    return ERROR.sub(lambda found: f"### {found[1]}\n\n{as_received(found[1], language)}\n{found[2]}", text)
