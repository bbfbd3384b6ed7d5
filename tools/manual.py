"""The manual as MkDocs builds it, and what its pages must not lack.

    make manual          builds build/manual, Korean first and English under en/

What is filled into the pages stands in `maedal.manual`, which serves them at `/manual` too. What a page lacks is a
warning, and with --strict the build then fails.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from maedal.checkout.errors import SDK_TEXTS
from maedal.cli.main import app
from maedal.manual.blocks import diagram, plain_path
from maedal.manual.pages import (
    COMMAND,
    DOCS,
    ERROR,
    EXAMPLES,
    FENCE,
    HANGUL,
    OPTIONS,
    PAGES,
    SETTING,
    WHAT_TO_DO,
    errors,
    filled,
    korean_options,
    page_of,
)
from maedal.manual.words import EN, HAPPENINGS, KO, LANGUAGES, say
from maedal.rest import unsupported
from maedal.rest.router import router

__all__ = [
    "DOCS",
    "EN",
    "EXAMPLES",
    "HANGUL",
    "HAPPENINGS",
    "KO",
    "LANGUAGES",
    "PAGES",
    "ROOT",
    "SDK_TEXTS",
    "diagram",
    "say",
]
ROOT = Path(__file__).parents[1]
_log = logging.getLogger("mkdocs.hooks.manual")


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


# -- endpoints

_ENDPOINT = re.compile(r"^### ([A-Z]+(?:, [A-Z]+)*) (/\S*)$", re.MULTILINE)


def routes() -> list[tuple[str, str]]:
    """Return method and path of every route of the REST API but those of other PGs, which have a table of their own."""
    others = {(method.value, plain_path(entry.path)) for entry in unsupported.TABLE for method in entry.methods}
    all_routes = {
        (str(method), plain_path(route.path))
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


def missing_errors(text: str, language: str) -> list[str]:
    """Say what the error page lacks, and where it has to be added."""
    where = page_of("errors", language).relative_to(ROOT)
    known = dict(errors().items()) | dict.fromkeys(SDK_TEXTS)
    entries = dict(ERROR.findall(text))
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

    rows = {name: (english, korean) for name, _, _, english, korean in SETTING.findall(text)}
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
    entries = dict(COMMAND.findall(text))
    lacks = []
    for name, command in commands().items():
        entry = FENCE.sub("", entries.get(name, ""))
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


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Fill a page."""
    return filled(markdown, EN if page.file.src_uri.endswith(".en.md") else KO)
