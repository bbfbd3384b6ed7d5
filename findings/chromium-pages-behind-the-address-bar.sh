#!/usr/bin/env bash
# Chromium 156.0.8078.108 (Debian 12), playwright 1.65.2 (PyPI), Python 3.11: without a window to be seen, each page that a
# test opens brings two pages of Chromium's own, which stand behind the address bar that is not shown. They are neither in
# context.pages nor in Target.getTargets without a filter, and cost several times what a small page costs. Playwright
# turns one of the features behind them off (AimEnabled) and both pages come all the same. They stay away when
# WebUIOmniboxPopup and WebUIOmniboxAimPopup are off.
# And the usual way to say so, args=["--disable-features=…"], turns on again what Playwright had turned off: Chromium
# reads the last such list alone. So Playwright's own list is given again here.
#
# Runs outside of CI, without maedal. Needs Debian's chromium.
# Seen on 2026-11-28 (CPU of the whole browser for a page of 300 paragraphs, opened, read and closed):
#   as Playwright starts it: 2 pages of its own beside one of ours
#   with both turned off: 0 pages of its own beside one of ours
#   CPU of a page: more than twice as much with them
# It fails when that changes: then tests/support/chromium.py may be shorter.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check playwright==1.65.2
"$folder/venv/bin/python" - <<'PYTHON'
import glob
import os
import re
import shutil

from playwright.sync_api import sync_playwright

PAGE = "<p>hello <b>world</b></p>" * 300
PAGES = 6


def cpu_of_the_tree() -> float:
    parents, used, gone = {}, {}, {}
    for file in glob.glob("/proc/[0-9]*/stat"):
        try:
            pid, fields = int(file.split("/")[2]), open(file).read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        parents[pid] = int(fields[1])
        used[pid], gone[pid] = int(fields[11]) + int(fields[12]), int(fields[13]) + int(fields[14])
    ours = {os.getpid()}
    for _ in range(8):
        ours |= {child for child, parent in parents.items() if parent in ours}
    return sum(used[pid] for pid in ours if pid in used) + sum(gone[pid] for pid in ours if pid in gone)


def look(playwright, *more):
    browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox", *more])
    browser.new_context().new_page().goto("about:blank")
    session = browser.new_browser_cdp_session()
    targets = session.send("Target.getTargets", {"filter": [{}]})["targetInfos"]
    own = sum(target["url"].startswith("chrome://omnibox") for target in targets)
    said = session.send("SystemInfo.getInfo")["commandLine"]
    spent = 0.0
    for _ in range(PAGES):
        before = cpu_of_the_tree()
        context = browser.new_context()
        page = context.new_page()
        page.set_content(PAGE)
        page.inner_text("body")
        page.wait_for_timeout(300)
        spent += cpu_of_the_tree() - before
        context.close()
    browser.close()
    return own, spent, said


with sync_playwright() as playwright:
    own, spent, said = look(playwright)
    print(f"as Playwright starts it: {own} pages of its own beside one of ours")
    [theirs] = re.findall(r"--disable-features=(\S+)", said)
    assert "AimEnabled" in theirs.split(",")
    less, spent_less, said = look(playwright, f"--disable-features={theirs},WebUIOmniboxPopup,WebUIOmniboxAimPopup")
    print(f"with both turned off: {less} pages of its own beside one of ours")
    print(f"CPU of a page: {'more than twice as much with them' if spent > 2 * spent_less else f'{spent} {spent_less}'}")
    assert (own, less) == (2, 0) and spent > 2 * spent_less
PYTHON
