"""One's own account: the password, the second step, and where one is signed in."""

from __future__ import annotations

import re

import pyotp

from maedal.operators.role import Role
from tests.console.people import Person, once, text_of

SESSION = "maedal_session"
CHANNELS = "/console/merchants/imp00000000/channels"


def test_a_password_is_changed_and_other_browsers_are_signed_out(site, another):
    person, password = another("changes", Role.DEVELOPER)
    other = Person(site.world)
    other.sign_in("changes", password)
    new = "a better password than before"
    wrong = person.send(
        "/console/account/password", page="/console/account", current=password, password=new, again="another one here"
    )
    assert "새 비밀번호 둘이 서로 다릅니다." in text_of(wrong.text)
    done = person.send("/console/account/password", page="/console/account", current=password, password=new, again=new)
    assert "비밀번호를 바꾸었습니다" in done.text
    assert person.open().status_code == 200
    assert other.open().status_code == 303


def test_the_second_step_is_set_up_used_and_turned_off(site, another):
    person, password = another("two", Role.MANAGER)
    page = person.see("/console/account/two-steps")
    secret = re.search(r'data-testid="secret">([A-Z2-7 ]+)<', page)[1].replace(" ", "")
    assert "<svg" in page
    drawn = re.search(r'name="drawn" value="([^"]+)"', page)[1]
    wrong = person.send("/console/account/two-steps", current=password, code="000000", drawn=drawn)
    assert wrong.status_code == 422
    # The same secret is shown again: the phone has it already. (A page opened anew draws another.)
    assert secret in wrong.text.replace(" ", "")
    done = person.send("/console/account/two-steps", current=password, code=pyotp.TOTP(secret).now(), drawn=drawn)
    codes = once(done.text)
    assert len(codes) == 10
    assert codes[0] not in person.see("/console/account")
    other = Person(site.world)
    half = other.sign_in("two", password, follow=False)
    assert half.headers["location"] == "/console/code?next=/console"
    before = other.http.cookies[SESSION]
    # Half is not in: every page asks for the code, and nothing but the code is taken.
    assert other.open("/console/account").headers["location"].startswith("/console/code?next=")
    assert other.send("/console/code", code="000000").status_code == 422
    assert other.send("/console/code", code=codes[0], follow=False).headers["location"] == "/console"
    assert other.http.cookies[SESSION] != before
    assert other.open().status_code == 200
    # Who is wholly in has no second step to do.
    assert other.open("/console/code").status_code == 303
    other.send("/console/account/recovery-codes", page="/console/account", current=password, code="000000")
    drawn_anew = other.send("/console/account/recovery-codes", page="/console/account", current=password, code=codes[1])
    fresh = once(drawn_anew.text)
    assert len({*fresh, *codes}) == 20
    third = Person(site.world)
    third.sign_in("two", password, follow=False)
    assert third.send("/console/code", code=codes[2]).status_code == 422
    off = other.send("/console/account/two-steps/off", page="/console/account", current=password, code=fresh[0])
    assert "인증 앱을 껐습니다." in off.text
    assert Person(site.world).sign_in("two", password, follow=False).headers["location"] == "/console"


def test_passkeys_are_not_offered_where_browsers_know_none(site, another):
    """This site's address is a number: no browser makes a passkey for one."""
    person, password = another("numbered", Role.MANAGER)
    page = person.see("/console/account")
    assert "패스키는 호스트 이름이 있는 https 주소에서만" in page
    assert "data-passkey" not in page
    fields = {"form_token": person.token(), "name": "phone", "current": password}
    asked = person.http.post("/console/account/passkeys/options", data=fields, headers={"Origin": person.origin})
    assert (asked.status_code, "호스트 이름" in asked.json()["problem"]) == (422, True)
    asked = person.http.post("/console/account/passkeys/use-options", data=fields, headers={"Origin": person.origin})
    assert (asked.status_code, asked.json()["problem"]) == (422, "이 계정에는 아직 패스키가 없습니다.")


def test_a_session_elsewhere_is_seen_and_ended(site, another):
    person, password = another("sessions", Role.READ_ONLY)
    other = Person(site.world)
    other.http.headers["User-Agent"] = "A lost <b>phone</b>"
    other.sign_in("sessions", password)
    page = person.see("/console/account")
    assert "A lost &lt;b&gt;phone&lt;/b&gt;" in page
    [address] = re.findall(r'action="(/console/account/sessions/[^"]+/end)"', page)
    person.send(address, page="/console/account")
    assert other.open().status_code == 303
    assert person.open().status_code == 200


def test_nobody_ends_the_session_of_somebody_else(site, owner, another):
    person, _ = another("bystander", Role.READ_ONLY)
    mine = re.findall(r"/console/account/sessions/([^/]+)/end", site.person().see("/console/account"))[0]
    data = {"form_token": person.token()}
    person.http.post(f"/console/account/sessions/{mine}/end", data=data, headers={"Origin": person.origin})
    assert owner.open().status_code == 200
