"""What shops and buyers do, each a scenario of its own: what comes before, and the part in which steps are counted."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.support.servers import move_to_another_server, settle_on_this_server

from .shop import Shop

Part = Callable[[Shop, str], None]
SHORT = 0.6
"""How long the loops need to take up what is due, and a little."""


def nothing(shop: Shop, customer: str) -> None:
    """Let the scenario begin from nothing."""


def a_key(shop: Shop, customer: str) -> None:
    shop.issue_key(customer)
    shop.testbed.let_keys_settle()


def two_charges(shop: Shop, customer: str) -> None:
    a_key(shop, customer)
    shop.again(customer, 3_000, f"{customer}.one")
    shop.testbed.let_keys_settle()
    shop.again(customer, 5_000, f"{customer}.two")


def issue(shop: Shop, customer: str) -> None:
    shop.issue_key(customer)


def issue_and_pay(shop: Shop, customer: str) -> None:
    shop.issue_key(customer, 7_000, "CARD")


def a_key_and_an_order_for_the_next(shop: Shop, customer: str) -> None:
    a_key(shop, customer)
    shop.register(f"{shop.tag}.anew", 7_000, customer)


def issue_anew(shop: Shop, customer: str) -> None:
    shop.issue_key(customer, 7_000, "CARD", f"{shop.tag}.anew")


def pay_once(shop: Shop, _: str) -> None:
    opened = shop.open_window(shop.uid(), 9_000)
    if opened is not None:
        shop.agree(opened)
        shop.result(opened)


def declined_at_the_window(shop: Shop, customer: str) -> None:
    shop.testbed.fault("approve", "decline", method_result_code="NOT_ENOUGH_BALANCE")
    issue_and_pay(shop, customer)


def window_refused(shop: Shop, customer: str) -> None:
    shop.testbed.fault("ready", "refuse", error_code=-780)
    shop.open_window(shop.uid(), 9_000, customer)


def window_lost(shop: Shop, customer: str) -> None:
    shop.testbed.fault("ready", "drop_after")
    shop.open_window(shop.uid(), 9_000, customer)


def approval_lost(shop: Shop, _: str) -> None:
    shop.testbed.fault("approve", "drop_after")
    pay_once(shop, _)


def key_lost(shop: Shop, customer: str) -> None:
    shop.testbed.fault("approve", "drop_after")
    issue_and_pay(shop, customer)
    time.sleep(SHORT)


def closed_by_the_buyer(shop: Shop, customer: str) -> None:
    opened = shop.open_window(shop.uid(), 9_000, customer)
    if opened is not None:
        shop.end_window(opened, reason="left")
        shop.end_window(opened)
        shop.result(opened)


def expired(shop: Shop, customer: str) -> None:
    shop.open_window(shop.uid(), 9_000, customer)
    shop.testbed.advance(31 * 60)
    time.sleep(SHORT)


def again(shop: Shop, customer: str) -> None:
    shop.again(customer)


def again_after_a_failover(shop: Shop, customer: str) -> None:
    """The database is on a server that it does not know: the PG is asked before the key is charged."""
    move_to_another_server(shop.testbed.database_url)
    try:
        shop.again(customer)
    finally:
        settle_on_this_server(shop.testbed.database_url)


def again_declined(shop: Shop, customer: str) -> None:
    shop.testbed.fault("subscription", "decline", method_result_code="NOT_ENOUGH_BALANCE")
    shop.again(customer)


def again_lost(shop: Shop, customer: str) -> None:
    shop.testbed.fault("subscription", "drop_after")
    shop.again(customer)


def again_lost_on_the_way(shop: Shop, customer: str) -> None:
    """Nothing was charged, and only time can tell."""
    shop.testbed.fault("subscription", "drop_before")
    merchant_uid = shop.uid()
    shop.again(customer, 3_000, merchant_uid)
    for _ in range(3):
        time.sleep(0.3)
        shop.testbed.advance(15 * 60)
    shop.wait_for(merchant_uid, "failed")


def again_twice_at_once(shop: Shop, customer: str) -> None:
    from concurrent.futures import ThreadPoolExecutor

    merchant_uid = shop.uid()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: shop.again(customer, 3_000, merchant_uid), range(2)))


def again_insisted(shop: Shop, customer: str) -> None:
    """Repeat the call under an Idempotency-Key for as long as no answer comes."""
    shop.insist(*shop.charge_request(customer))


def give_back(shop: Shop, customer: str) -> None:
    payment = shop.payment(f"{customer}.one")
    shop.cancel(payment["imp_uid"])


def give_back_in_parts(shop: Shop, customer: str) -> None:
    payment = shop.payment(f"{customer}.two")
    shop.cancel(payment["imp_uid"], 2_000)
    shop.cancel(payment["imp_uid"], 3_000)


def give_back_lost(shop: Shop, customer: str) -> None:
    shop.testbed.fault("cancel", "drop_after")
    give_back(shop, customer)


def give_back_after_a_refund_at_the_pg(shop: Shop, customer: str) -> None:
    """Give back here what a refund in the PG's own console left; the second cancel is insisted on, whatever a crash took.

    Whoever dies between the PG's refusal and the look at its order leaves the refund to the next cancel, or to the file.
    """
    payment = shop.payment(f"{customer}.two")
    shop.testbed.sim("POST", f"orders/{payment['pg_tid']}/refund", {"amount": 1_000})
    shop.cancel(payment["imp_uid"], 2_000)
    shop.insist(*shop.cancel_request(payment["imp_uid"], 500))


def give_back_insisted(shop: Shop, customer: str) -> None:
    payment = shop.payment(f"{customer}.two")
    shop.insist(*shop.cancel_request(payment["imp_uid"], 2_000))


def end_key(shop: Shop, customer: str) -> None:
    shop.delete_key(customer)


def end_key_lost(shop: Shop, customer: str) -> None:
    shop.testbed.fault("inactive", "error_500_before")
    shop.delete_key(customer)
    shop.testbed.advance(120)
    time.sleep(SHORT)


def planned(shop: Shop, customer: str) -> None:
    merchant_uid = shop.schedule(customer, 3)
    if merchant_uid is not None:
        shop.testbed.advance(5)
        shop.wait_for(merchant_uid, "paid")


def scheduled_while_a_bank_is_closed(shop: Shop, customer: str) -> None:
    """Somebody is closed: the charge waits, and is made later under its own merchant_uid."""
    shop.testbed.fault("subscription", "decline", method_result_code="UNDER_CONSTRUCTION")
    merchant_uid = shop.schedule(customer, 3)
    if merchant_uid is not None:
        shop.testbed.advance(5)
        # Nobody is told of a failure while it waits.
        time.sleep(2 * SHORT)
        shop.testbed.advance_beyond_wait(merchant_uid)
        shop.wait_for(merchant_uid, "paid")


def scheduled_while_the_pg_is_closed(shop: Shop, customer: str) -> None:
    """KakaoPay says that it is closed: nothing is proved, all wait, and later the charge is made."""
    shop.testbed.fault("subscription", "refuse", error_code=-503)
    merchant_uid = shop.schedule(customer, 3)
    if merchant_uid is not None:
        shop.testbed.advance(5)
        time.sleep(SHORT)
        for _ in range(5):
            shop.testbed.advance(15 * 60)
            payment = shop.wait_for(merchant_uid, "paid", seconds=SHORT)
            if payment is not None and payment["status"] == "paid":
                return
        shop.wait_for(merchant_uid, "paid")


def scheduled_while_the_secret_is_refused(shop: Shop, customer: str) -> None:
    """KakaoPay refuses at the door: the channel rests, the charge waits, and one that gets through ends the rest."""
    shop.testbed.fault("subscription", "refuse", error_code=-401)
    merchant_uid = shop.schedule(customer, 3)
    if merchant_uid is not None:
        shop.testbed.advance(5)
        time.sleep(2 * SHORT)
        shop.testbed.advance_beyond_wait(merchant_uid)
        shop.wait_for(merchant_uid, "paid")


def scheduled_and_paid_early(shop: Shop, customer: str) -> None:
    """The order is paid before it is due: its plan is executed by that payment."""
    merchant_uid = shop.schedule(customer, 30)
    if merchant_uid is not None:
        shop.again(customer, 4_000, merchant_uid)
        shop.testbed.advance(40)
        time.sleep(SHORT)


def scheduled_for_a_key_that_ended(shop: Shop, customer: str) -> None:
    merchant_uid = shop.schedule(customer, 30)
    shop.delete_key(customer)
    if merchant_uid is not None:
        shop.testbed.advance(60)
        shop.wait_for(merchant_uid, "failed")


def scheduled_and_changed(shop: Shop, customer: str) -> None:
    one, other = shop.schedule(customer, 3_600), shop.schedule(customer, 3_600)
    if one is None or other is None:
        return
    at = int(shop.testbed.clock.now().timestamp() + 60)
    shop.testbed.once("PUT", f"/subscribe/payments/schedule/{one}", {"schedule_at": at})
    shop.unschedule(customer, other)
    shop.testbed.advance(70)
    shop.wait_for(one, "paid")


def prepared(shop: Shop, _: str) -> None:
    merchant_uid = shop.uid()
    shop.testbed.once("POST", "/payments/prepare", {"merchant_uid": merchant_uid, "amount": 100})
    shop.testbed.once("PUT", "/payments/prepare", {"merchant_uid": merchant_uid, "amount": 200})


def token(shop: Shop, _: str) -> None:
    """Let the merchant's token run out, and get a new one."""
    shop.testbed.advance(31 * 60)
    shop.testbed.forget_token()
    shop.testbed.token()


SCENARIOS: dict[str, tuple[Part, Part]] = {
    "issue a key": (nothing, issue),
    "issue a key and pay": (nothing, issue_and_pay),
    "issue a key anew": (a_key_and_an_order_for_the_next, issue_anew),
    "pay once": (nothing, pay_once),
    "declined at the window": (nothing, declined_at_the_window),
    "window refused": (nothing, window_refused),
    "window lost": (nothing, window_lost),
    "approval lost": (nothing, approval_lost),
    "key lost": (nothing, key_lost),
    "closed by the buyer": (nothing, closed_by_the_buyer),
    "window expired": (nothing, expired),
    "charge": (a_key, again),
    "charge after a failover": (a_key, again_after_a_failover),
    "charge declined": (a_key, again_declined),
    "charge lost": (a_key, again_lost),
    "charge lost on the way": (a_key, again_lost_on_the_way),
    "charge twice at once": (a_key, again_twice_at_once),
    "charge insisted on": (a_key, again_insisted),
    "cancel": (two_charges, give_back),
    "cancel in parts": (two_charges, give_back_in_parts),
    "cancel lost": (two_charges, give_back_lost),
    "cancel beside a refund": (two_charges, give_back_after_a_refund_at_the_pg),
    "cancel insisted on": (two_charges, give_back_insisted),
    "end a key": (a_key, end_key),
    "end a key, lost": (a_key, end_key_lost),
    "scheduled charge": (a_key, planned),
    "scheduled charge, bank closed": (a_key, scheduled_while_a_bank_is_closed),
    "scheduled charge, KakaoPay closed": (a_key, scheduled_while_the_pg_is_closed),
    "scheduled charge, secret refused": (a_key, scheduled_while_the_secret_is_refused),
    "scheduled charge, paid early": (a_key, scheduled_and_paid_early),
    "scheduled charge without a key": (a_key, scheduled_for_a_key_that_ended),
    "scheduled charges changed": (a_key, scheduled_and_changed),
    "amount registered": (nothing, prepared),
    "token renewed": (nothing, token),
}
"""What comes before, and what is tortured."""
