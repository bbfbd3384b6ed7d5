"""The manual as a gateway serves it: every page in both languages, its links and pictures, search, and no script."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from maedal.console.frame.manual_links import SECTIONS, manual_of
from maedal.manual.contents import NAMES
from maedal.manual.rendering import page, rendered
from maedal.manual.router import router
from maedal.manual.search import search
from maedal.manual.words import EN, KO, LANGUAGES
from tests.support.endpoints import noted
from tools import manual

both = pytest.mark.parametrize("language", LANGUAGES)
HREF = re.compile(r'(?:href|src)="([^"]*)"')


@pytest.fixture
async def reader():
    async with AsyncTestClient(noted(Litestar([router], openapi_config=None))) as client:
        yield client


def test_every_page_of_docs_is_served_in_the_order_of_mkdocs():
    files = {path.stem for path in manual.PAGES.glob("*.md") if not path.stem.endswith(".en")}
    assert set(NAMES) == files
    nav = (manual.ROOT / "mkdocs.yml").read_text("utf-8").partition("\nnav:\n")[2]
    assert set(re.findall(r": ([a-z-]+)\.md$", nav, re.MULTILINE)) == files


@both
async def test_every_link_and_picture_of_every_page_leads_somewhere(reader, language):
    known = {f"/manual/{language}/{name}": page(name, language) for name in NAMES}
    for at in known:
        reply = await reader.get(at)
        assert reply.status_code == 200, at
        for target in HREF.findall(reply.text):
            address = urlsplit(urljoin(at, target))
            if address.scheme or not address.path.startswith(f"/manual/{language}/") or address.query:
                continue
            to = known.get(address.path)
            assert to is not None, (at, target)
            anchors = {heading.anchor for heading in to.headings} | set(re.findall(r'id="([^"]+)"', to.html)) | {"main"}
            assert not address.fragment or unquote(address.fragment) in anchors, (at, target)
        for picture in re.findall(r'<img src="(\.\./images/[^"]+)"', reply.text):
            assert (await reader.get(urljoin(at, picture))).status_code == 200, (at, picture)


async def test_a_page_runs_no_script_and_loads_nothing_from_elsewhere(reader):
    reply = await reader.get("/manual/en/webhooks")
    rules = dict(rule.strip().split(" ", 1) for rule in reply.headers["content-security-policy"].split(";"))
    assert rules["default-src"] == rules["frame-ancestors"] == "'none'"
    assert rules["style-src"] == rules["img-src"] == "'self'"
    assert "script-src" not in rules
    assert "<script" not in reply.text.replace("&lt;script", "")
    assert " style=" not in re.sub(r"<pre.*?</pre>", "", reply.text, flags=re.DOTALL)
    sheet = await reader.get("/manual/static/manual.css")
    assert "url(" not in sheet.text


@both
def test_every_page_of_the_console_leads_to_a_section_that_is_there(language):
    whole = page("console", language).html
    pages = {section.rstrip("#") for section in SECTIONS.values() if "#" in section}
    assert pages <= set(NAMES)
    sections = [section for section in SECTIONS.values() if "#" not in section]
    assert [section for section in sections if f'id="{section}"' not in whole] == []
    assert manual_of("/console/merchants/imp1/plans/7", language) == f"/manual/{language}/plans"
    assert manual_of("/console", language) == f"/manual/{language}/console#home"
    assert manual_of("/console/merchants/imp1", language).endswith("#home")
    assert manual_of("/console/merchants/imp1/schedules/7", language).endswith("#schedules")
    assert manual_of("/console/users", language).endswith("#users")


async def test_what_is_typed_is_found_by_its_section(reader):
    (first, *_) = search("idempotency-key", EN)
    assert (first.name, first.title) == ("billing", "Sending a request again: Idempotency-Key")
    assert any(hit.name == "recipes" for hit in search("요금제 변경", KO))
    assert search("   ", KO) == search("no such words anywhere at all", EN) == []
    assert "Type what you look for" in (await reader.get("/manual/en/search")).text
    shown = (await reader.get("/manual/en/search?q=<b>refund")).text
    assert "<b>refund" not in shown
    assert 'href="/manual/en/recipes#refund"' in (await reader.get("/manual/en/search?q=refund")).text


async def test_the_first_address_takes_the_language_of_the_browser(reader):
    for asked, language in (("en-US,en;q=0.9", EN), ("ko-KR", KO), ("", KO)):
        reply = await reader.get("/manual", headers={"Accept-Language": asked}, follow_redirects=False)
        assert reply.headers["location"] == f"/manual/{language}/index"
    assert (await reader.get("/manual/en", follow_redirects=False)).headers["location"] == "/manual/en/index"
    for nothing in ("/manual/fr", "/manual/ko/nothing", "/manual/images/../../pyproject.toml", "/manual/fr/index"):
        assert (await reader.get(nothing, follow_redirects=False)).status_code == 404, nothing


def test_markdown_is_read_as_mkdocs_reads_it():
    shown = rendered(
        '# A\n\n## Über alles: `x` { #own }\n\n!!! note "With `code`"\n    Inside **bold**.\n\n    - one\n\nAfter [it](b.en.md#c).\n',
        EN,
    )
    assert [(heading.anchor, heading.text) for heading in shown.headings] == [("a", "A"), ("own", "Über alles: x")]
    assert '<p class="note-title">With <code>code</code></p>' in shown.html
    assert "<strong>bold</strong>" in shown.html
    assert shown.html.index("<li>one</li>") < shown.html.index("</div>") < shown.html.index("After")
    assert 'href="b#c"' in shown.html


def test_a_wheel_takes_along_what_the_manual_is_made_of():
    project = Path(manual.ROOT / "pyproject.toml").read_text("utf-8")
    for part in ("docs/manual", "docs/examples", "docs/cli.md", "docs/settings.md", "docs/options.ko.toml"):
        assert f'"{part}" = "maedal/manual/{part}"' in project
