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


def test_a_preset_is_previewed_over_the_last_month_and_used(site, owner):
    page = f"{OF}/recovery"
    owner.send(page, reason="ended_key", after="3d")
    shown = owner.see(f"{page}?preset=days_1_3_7&others=on")
    assert 'data-testid="preview"' in shown
    assert "1d,2d,4d" in shown
    assert "실패한 예약이 없습니다" in text_of(shown)
    assert 'data-testid="preview"' not in owner.see(f"{page}?preset=weekly&day=99")
    answer = owner.send(f"{page}/preset", page=f"{page}?preset=pay_day&day=10")
    assert "규칙을 바꿨습니다" in text_of(answer.text)
    assert 'value="@10"' in answer.text
    kept = merchant(site).recovery
    assert {reason: len(waits) for reason, waits in kept.items() if waits} == {"balance": 1, "limit": 1, "locked": 3}
    refused = owner.send(f"{page}/preset", page=f"{page}?preset=pay_day", day="32")
    assert "1~31일" in text_of(refused.text)
    assert merchant(site).recovery == kept
