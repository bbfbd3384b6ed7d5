"""Markdown of docs/manual as HTML, in what MkDocs understands of it: tables, fences, notes, and names of headings."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from html import escape

from markdown_it import MarkdownIt
from markdown_it.token import Token

from maedal.manual.pages import filled, page_of

_NOTE = re.compile(r'^!!! (\w+)(?: "(.*)")?\n((?:(?: {4}.*)?\n)+)', re.MULTILINE)
_NAMED = re.compile(r"\s*\{:?\s*#([\w-]+)\s*\}\s*$")
_ANCHOR = re.compile(r"^(?!https?:|mailto:|#|/)([\w./-]+?)(?:\.en)?\.md(#.*)?$")
_TAGS = re.compile(r"<[^>]+>")
_NOTES = {
    "note": ("참고", "Note"),
    "tip": ("팁", "Tip"),
    "warning": ("주의", "Warning"),
    "danger": ("먼저 알아 두세요", "Know this first"),
}


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of a page: how deep, what leads to it, and what it says."""

    level: int
    anchor: str
    text: str


@dataclass(frozen=True, slots=True)
class Section:
    """What stands below a heading, as plain text to search in."""

    heading: Heading
    text: str


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the manual."""

    title: str
    html: str
    headings: Sequence[Heading]
    sections: Sequence[Section]


def slug(text: str) -> str:
    """Return the name that a heading has without one of its own, as MkDocs makes it."""
    kept = re.sub(r"[^\w\s-]", "", unicodedata.normalize("NFC", text)).strip().lower()
    return re.sub(r"\s", "-", kept)


@cache
def page(name: str, language: str) -> Page:
    """Return a page in a language. It takes some hundredths of a second the first time; do not make a loop wait."""
    text = filled(page_of(name, language).read_text("utf-8"), language)
    return rendered(text, language)


def rendered(text: str, language: str) -> Page:
    """Return Markdown as a page."""
    markdown = MarkdownIt("commonmark", {"html": True}).enable("table")
    tokens = markdown.parse(_NOTE.sub(lambda found: _note(found, language), text + "\n"))
    headings: list[Heading] = []
    bodies: list[list[str]] = []
    taken: set[str] = set()
    for token, following in zip(tokens, [*tokens[1:], Token("", "", 0)], strict=True):
        if token.type == "heading_open":
            heading = _named(token, following, taken)
            headings.append(heading)
            bodies.append([])
        elif token.type in {"inline", "fence", "html_block"} and bodies:
            bodies[-1].append(_TAGS.sub(" ", token.content))
        if token.type == "inline":
            _lead(token.children or [])
        if token.type == "table_open":
            token.meta["wide"] = True
        if token.type in {"th_open", "td_open"}:
            # A style of its own is not allowed by the page's policy.
            token.attrs.pop("style", None)
    html = markdown.renderer.render(tokens, markdown.options, {})
    html = html.replace("<table>", '<div class="table" tabindex="0"><table>').replace("</table>", "</table></div>")
    html = html.replace("<pre>", '<pre tabindex="0">')
    sections = [
        Section(heading, " ".join(" ".join(body).split())) for heading, body in zip(headings, bodies, strict=True)
    ]
    return Page(headings[0].text if headings else "", html, headings, sections)


def _note(found: re.Match[str], language: str) -> str:
    kind, title, body = found[1], found[2], found[3]
    title = title or _NOTES.get(kind, _NOTES["note"])[language == "en"]
    inner = re.sub(r"^ {4}", "", body, flags=re.MULTILINE).strip()
    heading = MarkdownIt("commonmark").renderInline(title)
    return f'<div class="note {escape(kind)}">\n<p class="note-title">{heading}</p>\n\n{inner}\n\n</div>\n\n'


def _named(opening: Token, inline: Token, taken: set[str]) -> Heading:
    """Give a heading its name: its own, or one made of its words."""
    children = inline.children or []
    own = _NAMED.search(inline.content)
    if own and children:
        children[-1].content = _NAMED.sub("", children[-1].content)
    text = "".join(child.content for child in children if child.type in {"text", "code_inline"}).strip()
    anchor = own[1] if own else slug(text)
    number = 1
    while anchor in taken:
        anchor, number = f"{slug(text)}_{number}", number + 1
    taken.add(anchor)
    opening.attrSet("id", anchor)
    return Heading(int(opening.tag[1]), anchor, text)


def _lead(children: Sequence[Token]) -> None:
    """Let links and pictures of Markdown files lead to the pages that are served."""
    for child in children:
        if child.type == "link_open":
            href = str(child.attrs.get("href", ""))
            if found := _ANCHOR.match(href):
                child.attrSet("href", f"{found[1]}{found[2] or ''}")
            elif href.startswith(("http:", "https:")):
                child.attrSet("rel", "noopener noreferrer")
        elif child.type == "image":
            child.attrSet("src", f"../{child.attrs['src']}")
            child.attrSet("loading", "lazy")
