"""No form of another site, of another session or of an old one changes anything, at any route; and no link ever does."""

from __future__ import annotations

import re
import uuid

import pyotp
import pytest

from maedal.merchants.audit_entry import AuditAction
from maedal.operators.role import Role
from tests.console.frame.test_permissions import MATRIX, SERVED, address
from tests.console.people import Person
from tests.support import rows

SESSION = "maedal_session"
POSTS = [path for method, path in SERVED if method == "POST"]
GETS = [path for method, path in SERVED if method == "GET"]
# When somebody was last there, and how often somebody tried to sign in, is kept by asking itself.
KEPT_BY_ASKING = {"sessions", "sign_in_tries"}
# What the worker writes from the other rows, seconds after they were written, whoever asks for what meanwhile.
WRITTEN_ANEW = {
    "log_blocks",
    "log_rows_to_chain",
    "logs_to_walk",
    "vault_nodes",
    "payment_texts",
    "payments_to_text",
    "figures",
    "figures_counted",
    "month_figures",
    "months_counted",
    "search_terms",
    "request_log",
}
LEFT_OUT = KEPT_BY_ASKING | WRITTEN_ANEW | {"alembic_version"}


@pytest.fixture(scope="module")
def paid(site):
    uid = f"customer_{uuid.uuid4().hex[:12]}"
    site.world.issue_key(uid)
    return site.world.again(uid, f"order_{uid}", 10_000)["response"]


READ = f"'kind': '{AuditAction.EXPORT_LOG}'"
"""What the logs say of their own reading, which a link is for."""


def everything(site):
    """Return every row of every table that only an act can change."""
    url = site.world.settings.database_url
    names = (
        "SELECT name FROM sqlite_master WHERE type = 'table'" if url.startswith("sqlite")
        else "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'"
    )  # fmt: skip
    tables = sorted(row["name"] for row in rows.fetch(url, names))
    assert len(tables) > 20
    assert set(tables) >= LEFT_OUT
    return {
        table: sorted(
            text for row in rows.fetch(url, f"SELECT * FROM {table}") if READ not in (text := repr(dict(row)))
        )
        for table in tables
        if table not in LEFT_OUT and not table.startswith("sqlite_")
    }


def test_a_form_that_is_not_of_this_session_changes_nothing_at_any_route(site, owner, paid):
    before_signing_in_again = owner.token()
    owner.sign_in("owner", site.passwords[Role.OWNER])
    token, ours = owner.token(), {"Origin": owner.origin}
    assert before_signing_in_again != token
    ways = {
        "no token": ({}, ours),
        "an empty one": ({"form_token": ""}, ours),
        "of another session": ({"form_token": site.person(Role.ADMIN).token()}, ours),
        "of another session of the same person": ({"form_token": site.person().token()}, ours),
        "of a session that is over": ({"form_token": before_signing_in_again}, ours),
        "of a page before signing in": ({"form_token": site.stranger().token("/console/sign-in")}, ours),
        "from another site": ({"form_token": token}, {"Origin": "https://evil.example"}),
        "from nowhere": ({"form_token": token}, {}),
        "from a sandboxed frame": ({"form_token": token}, {"Origin": "null"}),
        "from a neighbour": ({"form_token": token}, {"Sec-Fetch-Site": "same-site"}),
    }
    before = everything(site)
    taken = []
    for path in POSTS:
        for way, (data, headers) in ways.items():
            answer = owner.http.post(
                address(path).replace("imp_000000000000", paid["imp_uid"]), data=data, headers=headers
            )
            # Who is wholly in has no second step to do, whatever they send.
            wanted = {303} if MATRIX["POST", path] == "half" else {403}
            if answer.status_code not in wanted:
                taken.append((path, way, answer.status_code))
    assert taken == []
    assert everything(site) == before
    assert owner.open().status_code == 200


def test_no_link_changes_anything(site, owner, paid):
    """Whatever a page is asked with, opening it is only looking."""
    channel = re.search(r"channel-key-[0-9a-f-]{36}", owner.see("/console/merchants/imp00000000/channels"))[0]
    forms = {"sure": "on", "reason": "x", "amount": "1", "name": "x", "role": "owner", "all": "on", "kind": "x"}
    token = owner.token()
    before = everything(site)
    for path in GETS:
        filled = (
            address(path).replace("imp_000000000000", paid["imp_uid"]).replace("channels/none", f"channels/{channel}")
        )
        answer = owner.http.get(filled, params=forms | {"form_token": token})
        assert answer.status_code < 500, path
    for path in POSTS:
        # What is only to be sent has no page of its own, or one that shows the form.
        assert owner.http.get(address(path), params=forms | {"form_token": token}).status_code in {
            200,
            303,
            404,
            405,
            422,
        }, path
    assert everything(site) == before


def test_the_session_is_another_after_each_change_of_the_lock(site, another):
    """Who has an old token, by whatever way they came to it, has nothing: session fixation gains nothing."""
    person, password = another("locks", Role.MANAGER)
    seen = [person.http.cookies[SESSION]]

    def changed(answer):
        assert answer.status_code == 200, answer.text
        assert person.http.cookies[SESSION] not in seen
        thief = Person(site.world)
        thief.http.cookies.set(SESSION, seen[-1])
        assert thief.open().status_code == 303
        seen.append(person.http.cookies[SESSION])
        assert person.open().status_code == 200

    new = "a better password than before"
    changed(
        person.send("/console/account/password", page="/console/account", current=password, password=new, again=new)
    )
    page = person.see("/console/account/two-steps")
    secret = re.search(r'data-testid="secret">([A-Z2-7 ]+)<', page)[1].replace(" ", "")
    drawn = re.search(r'name="drawn" value="([^"]+)"', page)[1]
    on = person.send("/console/account/two-steps", current=new, code=pyotp.TOTP(secret).now(), drawn=drawn)
    code = re.search(r"<ol>.*?<code>(.*?)</code>", on.text, re.DOTALL)[1]
    changed(on)
    changed(person.send("/console/account/two-steps/off", page="/console/account", current=new, code=code))
    changed(person.sign_in("locks", new))
