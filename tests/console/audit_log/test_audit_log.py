"""The audit log: who sees it, found by what people know, taken along as a file."""

from __future__ import annotations

import csv
import json
import re

from maedal.operators.role import Role
from tests.console.open_items.items import MERCHANT
from tests.support.sealed_zip import open_sealed

LOG = f"/console/merchants/{MERCHANT}/log"

OF = f"/console/merchants/{MERCHANT}"


def test_the_audit_log_is_for_owners_and_admins(site, owner):
    owner.send(f"{OF}/channels/new", name="<i>Logged</i>")
    for role in Role:
        answer = site.person(role).open(f"{OF}/log")
        assert answer.status_code == (200 if role in {Role.OWNER, Role.ADMIN} else 403)
    page = owner.see(f"{OF}/log")
    assert "채널 추가" in page
    assert "<ins>&lt;i&gt;Logged&lt;/i&gt;</ins>" in page
    owner.open("/console/look?language=en&back=/console")
    assert "Channel added" in owner.see(f"{OF}/log")


def test_the_audit_log_is_found_read_as_a_diff_and_taken_along(site, owner):
    page = f"/console/merchants/{MERCHANT}/recovery"
    owner.send(page, reason="limit", after="1d,3d")
    owner.send(page, reason="limit", after="2d")
    newest = owner.see(f"{LOG}?kind=change_recovery&who=owner")
    assert "<del>1d,3d</del> <ins>2d</ins>" in newest
    assert newest.count('data-testid="act"') == 2
    assert 'data-testid="act"' in owner.see(f"{LOG}?subject={MERCHANT}&since=2020-01-01&until=2099-01-01")
    for query in ("who=nobody", "kind=cancel&who=nobody", "subject=none", "until=2020-01-01", "since=2099-01-01"):
        assert "이 조건에 맞는 기록이 없습니다." in owner.see(f"{LOG}?{query}"), query
    for query in ("after=x", "kind=x", "since=x", "who=%00"):
        assert owner.open(f"{LOG}?{query}").status_code == 200, query
    for page in (LOG, f"{OF}/webhook-log"):
        for query in ("since=0001-01-01", "until=9999-12-31", "after=9999-12-31T23:59:59-12:00~a"):
            assert owner.open(f"{page}?{query}").status_code == 200, f"{page}?{query}"
    table = owner.open(f"{LOG}/export?format=csv&kind=change_recovery")
    assert table.headers["content-disposition"] == f'attachment; filename="audit-{MERCHANT}.csv"'
    rows = list(csv.DictReader(table.text.removeprefix("\ufeff").splitlines()))
    assert [(row["kind"], row["who"], row["before"], row["after"]) for row in rows] == [
        ("change_recovery", "owner", "limit=1d,3d", "limit=2d"),
        ("change_recovery", "owner", "limit=never", "limit=1d,3d"),
    ]
    lines = owner.open(f"{LOG}/export?format=jsonl&kind=change_recovery").text.splitlines()
    assert [json.loads(line)["after"] for line in lines] == ["limit=2d", "limit=1d,3d"]
    for role in (Role.DEVELOPER, Role.MANAGER, Role.READ_ONLY):
        assert site.person(role).open(f"{LOG}/export").status_code == 403


def test_the_audit_log_is_taken_along_sealed(site, owner):
    owner.send(f"{OF}/recovery", reason="limit", after="3d")
    for page, name in ((LOG, f"audit-{MERCHANT}"), ("/console/users/log", "users")):
        shown = owner.see(f"{page}?who=owner")
        passphrase = re.search(r'name="passphrase" value="([^"]+)"', shown)[1]
        fields = {"form_token": owner.token(), "format": "jsonl", "passphrase": passphrase}
        headers = {"Origin": owner.origin}
        answer = owner.http.post(f"{page}/export?who=owner", data=fields, headers=headers)
        assert answer.headers["content-disposition"] == f'attachment; filename="{name}.jsonl.zip"'
        plain = owner.open(f"{page}/export?format=jsonl&who=owner").content
        assert open_sealed(answer.content, passphrase) == {f"{name}.jsonl": plain}
        again = owner.http.post(f"{page}/export?who=owner", data=fields | {"passphrase": "easy"}, headers=headers)
        assert again.headers["location"] == f"{page}?who=owner"


def test_a_cell_that_a_spreadsheet_would_calculate_is_only_text(site, owner):
    owner.send(f"/console/merchants/{MERCHANT}/channels/new", name="plain")
    made = owner.send("/console/merchants/new", name="=1+1")
    code = str(made.url).split("/")[5]
    owner.send(f"/console/merchants/{code}/channels/new", name="=HYPERLINK(1)")
    rows = list(csv.DictReader(owner.open(f"/console/merchants/{code}/log/export").text.splitlines()))
    assert all(cell[:1] not in set("=+@") for row in rows for cell in row.values())
    site.world.issue_key("formula")
    payment = site.world.again("formula", "formula", 10_000)["response"]["imp_uid"]
    page = f"{OF}/payments/{payment}"
    owner.send(f"{page}/cancel", page=page, amount="1000", sure="on", reason="＝HYPERLINK(1)")
    [row] = csv.DictReader(owner.open(f"{LOG}/export?subject={payment}").text.splitlines())
    assert row["reason"] == "'＝HYPERLINK(1)"


def test_what_was_done_about_operators_is_found_and_taken_along(site, owner):
    owner.send("/console/users", name="found", role="manager")
    page = owner.see("/console/users/log?subject=found&kind=create_user")
    assert page.count('data-testid="act"') == 1
    assert "<ins>manager</ins>" in page
    [line] = owner.open("/console/users/log/export?format=jsonl&subject=found&kind=create_user").text.splitlines()
    assert json.loads(line) | {"id": "", "happened_at": ""} == {
        "id": "", "happened_at": "", "kind": "create_user", "subject": "found", "who": "owner", "reason": "",
        "before": "", "after": "role=manager",
    }  # fmt: skip
    assert site.person(Role.DEVELOPER).open("/console/users/log").status_code == 403


def test_long_logs_are_read_page_by_page_and_no_row_twice(site, owner):
    for number in range(60):
        owner.send(f"/console/merchants/{MERCHANT}/recovery", reason="balance", after=f"{number + 1}h")
    first = owner.see(f"{LOG}?kind=change_recovery")
    older = owner.see(f"{LOG}?" + first.split(f'href="{LOG}?')[-1].split('"')[0].replace("&amp;", "&"))
    seen = [page.split('data-testid="act"') for page in (first, older)]
    assert len(seen[0]) - 1 == 50
    assert "<ins>60h</ins>" in first
    assert "<ins>60h</ins>" not in older
    assert len(owner.open(f"{LOG}/export?kind=change_recovery").text.splitlines()) >= 61
