"""The manual is complete in both languages, and it builds without the network and without a warning."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from kakaopay_sandbox.control_faults import ALL_OPERATIONS
from kakaopay_sandbox.faults import Kind
from maedal.payments.moves import NEXT, Status
from tools import manual

ERROR_PAGES = {language: manual.page_of("errors", language).read_text() for language in manual.LANGUAGES}
ENDPOINT_PAGES = {language: manual.page_of("endpoints", language).read_text() for language in manual.LANGUAGES}
SETTINGS, COMMANDS = (manual.DOCS / "settings.md").read_text(), (manual.DOCS / "cli.md").read_text()
LOADED = re.compile(r"<(?:script|link|img|iframe)\b[^>]*?(?:src|href)=[\"']?((?:https?:)?//[^\"' >]+)")
both = pytest.mark.parametrize("language", manual.LANGUAGES)


def test_nothing_is_missing():
    assert manual.missing() == []


@both
@pytest.mark.parametrize("code", [*manual.errors(), *manual.SDK_TEXTS])
def test_an_error_without_an_entry_is_named_with_the_place_for_it(language, code):
    page = ERROR_PAGES[language].replace(f"### {code}\n", "### NO_SUCH_ERROR\n")
    complaints = manual.missing_errors(page, language)
    assert f"{manual.page_of('errors', language).name}: the error {code} has no entry" in complaints[0]
    assert "remove '### NO_SUCH_ERROR'" in complaints[1]


@both
def test_an_error_without_what_to_do_is_named(language):
    page = ERROR_PAGES[language].replace(manual.say(language, manual.WHAT_TO_DO), "", 1)
    assert any("'### WRONG_API_SECRET' lacks a paragraph" in text for text in manual.missing_errors(page, language))


@both
@pytest.mark.parametrize("route", manual.routes(), ids=" ".join)
def test_an_endpoint_without_an_entry_is_named_with_the_place_for_it(language, route):
    headings = re.findall(r"^### .*$", ENDPOINT_PAGES[language], re.MULTILINE)
    others = [
        heading
        for heading in headings
        if not any(
            manual.route_of(method, heading.split()[-1]) == route
            for method in heading[4 : heading.index(" /")].split(", ")
        )
    ]
    complaints = manual.missing_endpoints("\n".join(others), language)
    wanted = f"{' '.join(route)} has no entry. Add a heading '### {' '.join(route)}'"
    assert any(manual.page_of("endpoints", language).name in text and wanted in text for text in complaints)


@both
def test_an_endpoint_that_does_not_exist_is_named(language):
    page = ENDPOINT_PAGES[language] + "\n### GET /payments/by-moon/{phase}/of/{year}\n"
    assert any("no route answers 'GET /payments/by-moon" in text for text in manual.missing_endpoints(page, language))


@pytest.mark.parametrize("name", re.findall(r"^\| `(MAEDAL_\w+)`", SETTINGS, re.MULTILINE))
def test_a_setting_that_is_not_told_in_both_languages_is_named(name):
    row = next(line for line in SETTINGS.splitlines() if line.startswith(f"| `{name}`"))
    cells = row.split(" | ")
    gone = SETTINGS.replace(row + "\n", "")
    no_korean = SETTINGS.replace(row, " | ".join([*cells[:-1], "none |"]))
    no_english = SETTINGS.replace(row, " | ".join([*cells[:-2], " ", cells[-1]]))
    assert manual.missing_settings(gone) == [f"docs/settings.md: {name} has no row; add one with both meanings"]
    assert manual.missing_settings(no_korean) == [f"docs/settings.md: {name} has no Korean meaning"]
    assert manual.missing_settings(no_english) == [f"docs/settings.md: {name} has no English meaning"]


@pytest.mark.parametrize("name", manual.commands())
def test_a_command_that_is_not_told_in_both_languages_is_named(name):
    _, heading, rest = COMMANDS.partition(f"## `{name}`\n")
    own = rest.partition("\n## ")[0]
    korean = [line for line in own.splitlines() if manual.HANGUL.search(line)]
    english = [line for line in own.splitlines() if line and not manual.HANGUL.search(line)]
    options = manual.korean_options()
    no_korean = COMMANDS.replace(heading + own, heading + "\n".join(english))
    no_english = COMMANDS.replace(heading + own, heading + "\n".join(korean))
    assert any(f"'## `{name}`' has no Korean line" in text for text in manual.missing_commands(no_korean, options))
    assert any(f"'## `{name}`' has no English line" in text for text in manual.missing_commands(no_english, options))


def test_an_option_without_its_korean_is_named_with_the_line_to_add():
    without = {
        name: {o: t for o, t in table.items() if o != "--live"} for name, table in manual.korean_options().items()
    }
    text = "\n".join(manual.missing_commands(COMMANDS, without))
    assert "docs/options.ko.toml: add the Korean of --live" in text
    assert '["maedal merchant webhook"]' in text


def test_the_koreans_of_options_belong_to_options_that_exist():
    every = {option for command in manual.commands().values() for option in manual.options_of(command)}
    for name, table in manual.korean_options().items():
        assert set(table) <= (every if name == "*" else set(manual.options_of(manual.commands()[name]))), name


@both
def test_the_picture_has_every_state_and_every_move(language):
    picture = manual.diagram(language)
    assert picture.count('class="move"') == len({(source, target) for (source, _), target in NEXT.items()})
    for (_, event), target in NEXT.items():
        assert manual.say(language, manual.HAPPENINGS[event]) in picture
        assert f">{target.name}<" in picture
    assert picture.count("<rect") == len(Status)


@both
def test_what_is_sent_stands_below_an_errors_heading(language):
    page = manual.filled(ERROR_PAGES[language], language)
    assert "- REST: HTTP 401, `code` -1, “인증에 실패하였습니다. API키와 secret을 확인하세요.”" in page
    assert "`error_code` `F1002`, “이미 결제가 이루어진 거래건입니다.”" in page
    assert "<!-- code:" not in page


@both
def test_every_failure_is_walked_through_with_a_picture_of_its_button(language):
    page = manual.page_of("testing", language).read_text()
    pictures = re.findall(r"\]\(images/([a-z0-9_-]+)\.png\)", page)
    assert {f"testing-{kind}" for kind in Kind} | {"testing-times", "testing-points", "testing-refund"} <= set(pictures)
    suffix = "" if language == manual.KO else f".{language}"
    for picture in pictures:
        assert (manual.PAGES / "images" / f"{picture}{suffix}.png").exists(), picture
    assert all(f"`{kind}`" in page for kind in Kind)
    assert all(f"`{operation}`" in page for operation in ALL_OPERATIONS)


@both
def test_the_receivers_on_the_page_are_the_files_that_the_tests_run(language):
    page = manual.filled(manual.page_of("webhooks", language).read_text(), language)
    files = [path for path in (manual.EXAMPLES / "webhooks").rglob("*") if path.is_file()]
    assert len(files) == 9
    for path in files:
        assert path.read_text().rstrip() in page, path
    assert "<!-- file:" not in page


@pytest.mark.slow
def test_it_builds_without_a_warning_and_loads_nothing_from_elsewhere(tmp_path):
    paths = os.pathsep.join([str(manual.ROOT / "src"), str(manual.ROOT)])
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)],
        cwd=manual.ROOT,
        env=os.environ | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    pages = {path.relative_to(tmp_path).as_posix(): path.read_text() for path in tmp_path.rglob("*.html")}
    names = {path.stem for path in manual.PAGES.glob("*.md") if not path.stem.endswith(".en")}
    assert {f"{name}.html" for name in names} | {f"en/{name}.html" for name in names} <= set(pages)
    for name, page in pages.items():
        assert LOADED.findall(page) == [], name
        assert "<!-- code:" not in page, name
    for sheet in tmp_path.rglob("*.css"):
        assert not re.search(r"url\([\"']?(?:https?:)?//", sheet.read_text()), sheet
    assert 'lang="ko"' in pages["billing.html"]
    assert 'lang="en"' in pages["en/billing.html"]
    assert "<svg viewBox" in pages["billing.html"]
    assert "MAEDAL_DATABASE_URL" in pages["en/settings.html"]
    assert "maedal channel add" in pages["commands.html"]
