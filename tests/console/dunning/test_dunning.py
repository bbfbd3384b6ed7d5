"""What buyers are told of unpaid charges."""

from __future__ import annotations

from tests.console.people import asked

MERCHANT = "imp00000000"
PAGE = f"/console/merchants/{MERCHANT}/dunning"


def test_unpaid_notices_are_switched_on(site, owner):
    assert "미납된 결제가 없습니다" in owner.see(PAGE)
    refused = owner.send(PAGE, by_mail="on", link_days="7")
    assert refused.status_code == 422
    assert "먼저 메일 서버를 설정해 주세요" in refused.text
    assert owner.send(PAGE, by_shop="on", link_days="61").status_code == 422
    assert owner.send(PAGE, by_shop="on", link_days="7").status_code == 200
    rules = asked(site.world, lambda store: store.dunning.rules(MERCHANT))
    assert (rules.by_mail, rules.by_shop, rules.link_days) == (False, True, 7)
