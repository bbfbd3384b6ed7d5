"""The rules by which failed scheduled charges are tried again."""

from __future__ import annotations

from maedal.merchants.audit_entry import AuditAction
from tests.console.people import asked, text_of

MERCHANT = "imp00000000"
OF = f"/console/merchants/{MERCHANT}"
HOOK = f"{OF}/webhook"


def merchant(site):
    return asked(site.world, lambda store: store.merchants.find(MERCHANT))


def newest_audit_entry(site):
    return asked(site.world, lambda store: store.audit.entries(MERCHANT, 1))[0]


def test_retries_are_set_for_each_reason(site, owner):
    page = f"{OF}/recovery"
    owner.send(page, reason="limit", after="1d, 36h,90m")
    owner.send(page, reason="balance", after="3d")
    assert {reason: len(waits) for reason, waits in merchant(site).recovery.items() if waits} == {
        "limit": 3,
        "balance": 1,
    }
    assert 'value="1d,36h,90m"' in owner.see(page)
    audit_entry = newest_audit_entry(site)
    assert (audit_entry.kind, audit_entry.before, audit_entry.after) == (
        AuditAction.CHANGE_RECOVERY,
        "balance=never",
        "balance=3d",
    )
    owner.send(page, reason="limit", after="")
    assert not merchant(site).recovery.get("limit")
    for after, said in (("soon", "1d,3d,7d처럼"), ("5m", "10분 이상"), (",".join(["1d"] * 11), "최대 10번")):
        answer = owner.send(page, reason="limit", after=after)
        assert answer.status_code == 422
        assert said in text_of(answer.text)
        assert f'value="{after}"' in answer.text
    assert owner.send(page, reason="mood", after="1d").status_code == 422
