"""What a message about an unpaid charge says when it leaves: to the buyer by mail, or to the shop's own server."""

from __future__ import annotations

from typing import Protocol

from maedal.dunning.letter_texts import buyer_sentence, unpaid_letter
from maedal.dunning.unpaid import Unpaid, UnpaidState, needs_new_method, token_context
from maedal.flows.services import ServicesWith, ServicesWithoutStore
from maedal.merchants.merchant import Merchant
from maedal.messages.message import Handover, Message, Sent, Way
from maedal.messages.outgoing import Outgoing
from maedal.payments.payment import Payment
from maedal.storage.dunning.reads import HasDunning
from maedal.storage.payments.reads import HasPayments

EVENT = "payment.unpaid"
OVER = Sent(Handover.REFUSED, "it was paid, or its time is over")
ERASED = Sent(Handover.REFUSED, "the buyer's address is not there any more")
NO_ADDRESS = Sent(Handover.NOT_TAKEN, "the merchant has no address for webhooks")


class UnpaidLettersStore(HasDunning, HasPayments, Protocol): ...


async def unpaid_message(services: ServicesWith[UnpaidLettersStore], message: Message) -> Outgoing | Sent:
    """Return the message as it leaves now; or why it does not."""
    unpaid = await services.store.dunning.find(message.merchant_id, message.subject)
    if unpaid is None or unpaid.state is not UnpaidState.OPEN or unpaid.expires_at <= services.clock.now():
        return OVER
    payment = await services.store.payments.find(unpaid.merchant_id, unpaid.imp_uid)
    if payment is None:
        return OVER
    merchant = await services.merchant_cache.merchant(unpaid.merchant_id)
    link = pay_link(services, unpaid)
    if message.way is Way.SHOP:
        url = merchant.webhook_url(test_mode=unpaid.test_mode)
        return NO_ADDRESS if url is None else Outgoing(url, "", "", event=EVENT, data=_event(payment, unpaid, link))
    if not payment.order.buyer.email:
        return ERASED
    return await _letter(services, merchant, payment, unpaid, link)


def pay_link(services: ServicesWithoutStore, unpaid: Unpaid) -> str:
    """Return the address at which an open one is paid."""
    assert unpaid.sealed_token is not None, "an open one has its token"
    token = services.vault.open(unpaid.sealed_token, *token_context(unpaid.merchant_uid, unpaid.merchant_id))
    return f"{services.public_url}/pay/{token}"


async def _letter(
    services: ServicesWith[UnpaidLettersStore], merchant: Merchant, payment: Payment, unpaid: Unpaid, link: str
) -> Outgoing:
    rules = await services.store.dunning.rules(unpaid.merchant_id)
    letter = unpaid_letter(
        merchant.name,
        payment.order.name,
        unpaid.amount,
        unpaid.cause,
        link,
        unpaid.expires_at,
        "ko" if rules is None else rules.language,
        test=unpaid.test_mode,
    )
    assert payment.order.buyer.email is not None, "looked at before"
    return Outgoing(payment.order.buyer.email, letter.subject, letter.text, html=letter.html)


def _event(payment: Payment, unpaid: Unpaid, link: str) -> dict[str, object]:
    return {
        "imp_uid": payment.imp_uid,
        "merchant_uid": unpaid.merchant_uid,
        "customer_uid": payment.order.customer_uid,
        "name": payment.order.name,
        "amount": unpaid.amount,
        "currency": payment.order.price.total.currency.value,
        "sandbox": unpaid.test_mode,
        "failure_cause": unpaid.cause.value,
        "needs_new_method": needs_new_method(unpaid.cause),
        "text": {language: buyer_sentence(unpaid.cause, language) for language in ("ko", "en")},
        "pay_url": link,
        "expires_at": unpaid.expires_at.isoformat(),
    }
