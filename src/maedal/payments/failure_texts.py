"""What is said of each cause of a failure, in Korean and in English."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from maedal.payments.failure_causes import FailureCause, Retry

Words = tuple[str, str]
"""The same in Korean and in English."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """A cause in both languages. `buyer` is a sentence that a shop can send as it is."""

    name: Words
    retry: Retry
    when: Words
    """Whether a retry is useful, and when."""
    buyer: Words
    to_do: Words


EXPLANATIONS: Mapping[FailureCause, Explanation] = {
    FailureCause.BALANCE: Explanation(
        ("잔액 부족", "Not enough money"),
        Retry.AFTER_BUYER,
        (
            "잔액을 채운 뒤에 재시도하세요. 보통 1~3일 뒤입니다.",
            "Useful once the balance is topped up; commonly tried again after one to three days.",
        ),
        (
            "결제 수단의 잔액이 부족해 결제하지 못했습니다. 잔액을 확인해 주세요.",
            "Your payment failed: the balance was too low. Please check your balance.",
        ),
        ("구매자에게 알리고 재시도 규칙에 맡기세요.", "Tell the buyer and leave it to the retry rules."),
    ),
    FailureCause.LIMIT: Explanation(
        ("이용 한도 초과", "Limit used up"),
        Retry.LATER,
        (
            "한도가 새로 시작되는 다음 날이나 다음 달에 재시도하세요.",
            "Useful when the limit starts anew: the next day or month.",
        ),
        (
            "결제 수단의 한도를 넘어 결제하지 못했습니다. 한도를 확인하거나 다른 수단으로 등록해 주세요.",
            "Your payment failed: a limit of your payment method was reached. Please check it or use another method.",
        ),
        ("구매자에게 알리고 재시도 규칙에 맡기세요.", "Tell the buyer and leave it to the retry rules."),
    ),
    FailureCause.AMOUNT_LIMIT: Explanation(
        ("1회 결제 한도 초과", "Above the limit of one payment"),
        Retry.AFTER_BUYER,
        (
            "기다려도 한도가 늘지 않습니다. 구매자가 한도를 올리거나 결제 수단을 바꾼 뒤에 재시도하세요.",
            "Waiting does not raise it. Useful once the buyer raises the limit or changes the method.",
        ),
        (
            "결제 금액이 1회 한도를 넘어 결제하지 못했습니다. 한도를 올리거나 다른 수단으로 등록해 주세요.",
            "Your payment failed: the amount is above your limit. Please raise the limit or use another method.",
        ),
        ("금액이 맞는지 확인하고 구매자에게 알리세요.", "Check the amount, and tell the buyer."),
    ),
    FailureCause.WALLET_FULL: Explanation(
        ("충전 보유 한도 초과", "Wallet would hold too much"),
        Retry.AFTER_BUYER,
        (
            "구매자가 보유 금액을 줄이거나 결제 수단을 바꾼 뒤에 재시도하세요.",
            "Useful once the buyer has taken money out or changed the method.",
        ),
        (
            "충전 보유 한도를 넘어 결제하지 못했습니다. 보유 금액을 확인하거나 다른 수단으로 등록해 주세요.",
            "Your payment failed: your wallet may not hold more. Please check it or register another method.",
        ),
        ("구매자에게 알리세요.", "Tell the buyer."),
    ),
    FailureCause.METHOD_BLOCKED: Explanation(
        ("결제 수단 이용 정지", "Payment method blocked"),
        Retry.AFTER_BUYER,
        (
            "구매자가 정지를 풀거나 결제 수단을 바꾼 뒤에 재시도하세요.",
            "Useful once the buyer has had the block lifted or changed the method.",
        ),
        (
            "결제 수단이 이용 정지되어 결제하지 못했습니다. 카드사나 은행에 확인하거나 다른 수단으로 등록해 주세요.",
            "Your payment failed: your payment method is blocked. Please ask your bank or use another method.",
        ),
        ("구매자에게 알리세요.", "Tell the buyer."),
    ),
    FailureCause.METHOD_ENDED: Explanation(
        ("결제 수단 만료·해지", "Payment method expired or closed"),
        Retry.AFTER_REGISTERING,
        (
            "같은 빌링키로는 소용없습니다. 다른 결제 수단으로 다시 등록해야 합니다.",
            "Not with this billing key: another method has to be registered.",
        ),
        (
            "등록하신 결제 수단이 만료되었거나 더 이상 쓸 수 없습니다. 결제 수단을 다시 등록해 주세요.",
            "Your payment method has expired or can no longer be used. Please register one again.",
        ),
        ("구매자에게 등록 페이지를 보내세요.", "Send the buyer the page where they register."),
    ),
    FailureCause.KEY_ENDED: Explanation(
        ("빌링키 해지됨", "Billing key ended"),
        Retry.AFTER_REGISTERING,
        (
            "같은 빌링키로는 소용없습니다. 구매자가 다시 등록해야 합니다.",
            "Not with this billing key: the buyer has to register again.",
        ),
        (
            "자동 결제 등록이 해지되어 결제하지 못했습니다. 계속 이용하시려면 결제 수단을 다시 등록해 주세요.",
            "Your payment failed: automatic payment was ended. To go on, please register a payment method again.",
        ),
        (
            "구매자에게 등록 페이지를 보내세요. 해지 의사였는지도 확인하세요.",
            "Send the buyer the page where they register, and ask whether they meant to leave.",
        ),
    ),
    FailureCause.KEY_LIMIT: Explanation(
        ("빌링키의 월 결제 횟수 초과", "Monthly charges of the key used up"),
        Retry.LATER,
        ("다음 달에 재시도하세요.", "Useful in the next month."),
        (
            "이번 달에 결제할 수 있는 횟수를 넘어 결제하지 못했습니다. 다음 달에 다시 결제하겠습니다.",
            "Your payment failed: this month's number of charges is used up. We will charge again next month.",
        ),
        (
            "계약의 월 결제 횟수를 PG사에 문의하고, 한 고객을 너무 자주 결제하지 않는지 확인하세요.",
            "Ask the PG for the number in your contract, and check whether a customer is charged too often.",
        ),
    ),
    FailureCause.DECLINED: Explanation(
        ("카드사·PG사 승인 거절", "Declined by the card company or PG"),
        Retry.AFTER_BUYER,
        (
            "거절 사유가 풀리거나 결제 수단을 바꾼 뒤에 재시도하세요. 그대로 되풀이하면 대개 또 거절됩니다.",
            "Useful once the reason is gone or the method is changed; repeated as it is, it is mostly declined again.",
        ),
        (
            "카드사나 결제사가 승인을 거절해 결제하지 못했습니다. 카드사에 확인하거나 다른 수단으로 등록해 주세요.",
            "Your payment was declined. Please ask your card company, or register another method.",
        ),
        ("아래 원문을 확인하고 구매자에게 알리세요.", "Read the PG's text below, and tell the buyer."),
    ),
    FailureCause.BUSY: Explanation(
        ("다른 거래가 진행 중", "Another transaction is running"),
        Retry.SOON,
        (
            "약 20분 뒤에 재시도하세요. 앞선 거래가 결제되지 않았는지 먼저 확인하세요.",
            "Useful after about 20 minutes; check first that the earlier one has not been charged.",
        ),
        (
            "진행 중인 다른 거래가 있어 결제하지 못했습니다. 약 20분 뒤에 다시 결제해 주세요.",
            "Your payment failed: another transaction is running. Please try again in about 20 minutes.",
        ),
        (
            "같은 주문이 이미 결제되었는지 확인한 뒤 재시도하세요.",
            "Check whether the order is paid already, then retry.",
        ),
    ),
    FailureCause.MAINTENANCE: Explanation(
        ("PG사·은행·카드사 점검", "PG, bank or card company under maintenance"),
        Retry.LATER,
        (
            "점검이 끝난 뒤에 재시도하세요. 은행 점검은 보통 23:30~00:35입니다.",
            "Useful when the maintenance is over; banks commonly have theirs from 23:30 to 00:35.",
        ),
        (
            "결제사 또는 은행 점검 시간이라 결제하지 못했습니다. 점검이 끝난 뒤 다시 결제해 주세요.",
            "Your payment failed: the payment company or bank is under maintenance. Please try again afterwards.",
        ),
        (
            "예약 결제는 점검 뒤에 다시 시도합니다. 따로 할 일은 없습니다.",
            "Scheduled charges are tried again afterwards; there is nothing to do.",
        ),
    ),
    FailureCause.OUTAGE: Explanation(
        ("PG사·은행·카드사 통신 장애", "Trouble at the PG, bank or card company"),
        Retry.SOON,
        ("몇 분 뒤에 재시도하세요.", "Useful in a few minutes."),
        (
            "결제사 또는 은행의 일시적인 장애로 결제하지 못했습니다. 잠시 후 다시 결제해 주세요.",
            "Your payment failed: a fault at the payment company or bank. Please try again in a little while.",
        ),
        ("계속되면 PG사의 공지를 확인하세요.", "If it goes on, look at the PG's notices."),
    ),
    FailureCause.NOT_SENT: Explanation(
        ("PG사에 요청하지 못함", "The PG could not be called"),
        Retry.NOW,
        (
            "지금 재시도해도 됩니다. 요청이 PG사에 닿지 않았으므로 두 번 결제되지 않습니다.",
            "At once: the request never reached the PG, so nothing can be charged twice.",
        ),
        (
            "일시적인 오류로 결제를 시작하지 못했습니다. 결제된 금액은 없습니다. 잠시 후 다시 결제해 주세요.",
            "The payment could not be started. Nothing was charged. Please try again in a little while.",
        ),
        (
            "PG사로 나가는 네트워크를 확인하세요. 예약 결제는 채널에 정한 시간 동안 자동으로 재시도합니다.",
            "Check the network to the PG. Scheduled charges are tried again for as long as the channel says.",
        ),
    ),
    FailureCause.NOT_TAKEN: Explanation(
        ("응답이 끊겼고 결제되지 않음", "Answer lost, nothing charged"),
        Retry.NOW,
        (
            "지금 재시도해도 됩니다. 결제되지 않은 것을 PG사에서 확인했습니다.",
            "At once: it is proved at the PG that nothing was charged.",
        ),
        (
            "일시적인 오류로 결제가 완료되지 않았습니다. 결제된 금액은 없습니다. 잠시 후 다시 결제해 주세요.",
            "The payment was not completed. Nothing was charged. Please try again in a little while.",
        ),
        ("재시도하세요.", "Retry."),
    ),
    FailureCause.CALL_LIMIT: Explanation(
        ("PG사 호출 한도 초과", "Too many calls to the PG"),
        Retry.LATER,
        (
            "호출이 줄어든 뒤에, 하루 한도라면 자정(한국 시간) 뒤에 재시도하세요.",
            "Useful when there are fewer calls; if it is the day's limit, after midnight in Korea.",
        ),
        (
            "일시적으로 결제 요청이 많아 결제하지 못했습니다. 나중에 다시 결제해 주세요.",
            "Your payment failed because of too many requests. Please try again later.",
        ),
        ("PG사에 호출 한도를 문의하세요.", "Ask the PG for a higher limit."),
    ),
    FailureCause.CHANNEL: Explanation(
        ("채널 설정·계약 문제", "Channel settings or contract"),
        Retry.AFTER_SHOP,
        (
            "채널을 고친 뒤에 재시도하세요. 그때까지는 모든 결제가 같은 이유로 실패합니다.",
            "Useful once the channel is mended; until then every charge fails for the same reason.",
        ),
        (
            "가맹점 사정으로 결제하지 못했습니다. 빨리 해결하겠습니다. 결제된 금액은 없습니다.",
            "The payment failed because of a problem on our side. We are working on it. Nothing was charged.",
        ),
        (
            "채널의 가맹점 번호와 키, PG사에 등록한 도메인과 IP를 확인하세요.",
            "Check the channel's number and key, and the domains and addresses registered at the PG.",
        ),
    ),
    FailureCause.REQUEST: Explanation(
        ("결제 요청이 올바르지 않음", "The request is not right"),
        Retry.AFTER_SHOP,
        ("요청을 고친 뒤에 재시도하세요.", "Useful once the request is mended."),
        (
            "주문 정보가 맞지 않아 결제하지 못했습니다. 결제된 금액은 없습니다. 상점에 문의해 주세요.",
            "The payment failed: the order does not fit. Nothing was charged. Please contact the shop.",
        ),
        (
            "금액, 면세 금액, 주문번호 등 상점 서버가 보낸 값을 확인하세요.",
            "Check what the shop's server sent: the amount, the tax-free part, the order number.",
        ),
    ),
    FailureCause.SHOP_REFUSED: Explanation(
        ("상점 서버가 중단", "Stopped by the shop's server"),
        Retry.AFTER_SHOP,
        (
            "상점 서버의 값이 맞은 뒤, 구매자가 처음부터 다시 결제할 수 있습니다.",
            "Useful once the shop's server agrees and the buyer starts again.",
        ),
        (
            "주문 내용이 달라져 결제를 중단했습니다. 결제된 금액은 없습니다. 주문을 확인하고 다시 결제해 주세요.",
            "The payment was stopped: the order has changed. Nothing was charged. Please check it and pay again.",
        ),
        (
            "confirm_url의 응답과 사전등록한 금액을 확인하세요.",
            "Check what confirm_url answered and which amount was registered.",
        ),
    ),
    FailureCause.LEFT: Explanation(
        ("결제창 이탈", "Left the payment window"),
        Retry.AFTER_BUYER,
        ("구매자가 결제창을 다시 열면 됩니다.", "The buyer opens the window again."),
        (
            "결제를 완료하지 않고 결제창을 닫으셨습니다. 원하시면 다시 결제해 주세요.",
            "The payment window was closed before the payment was done. You can pay again at any time.",
        ),
        ("할 일이 없습니다.", "Nothing."),
    ),
    FailureCause.EXPIRED: Explanation(
        ("결제 시간 만료", "Time for paying is over"),
        Retry.AFTER_BUYER,
        ("구매자가 결제창을 다시 열면 됩니다.", "The buyer opens the window again."),
        (
            "결제 시간이 지나 결제가 취소되었습니다. 다시 결제해 주세요.",
            "The time for paying is over. Please pay again.",
        ),
        ("할 일이 없습니다.", "Nothing."),
    ),
    FailureCause.NOT_AUTHENTICATED: Explanation(
        ("본인 인증 실패", "Buyer not authenticated"),
        Retry.AFTER_BUYER,
        ("구매자가 결제창을 다시 열고 인증하면 됩니다.", "The buyer opens the window again and authenticates."),
        (
            "본인 인증을 마치지 못해 결제하지 못했습니다. 다시 결제해 주세요.",
            "Your payment failed: the authentication was not completed. Please pay again.",
        ),
        ("할 일이 없습니다.", "Nothing."),
    ),
    FailureCause.NOT_OPENED: Explanation(
        ("결제창을 열지 못함", "The window could not be opened"),
        Retry.SOON,
        (
            "구매자가 다시 시도하면 됩니다. 되풀이되면 아래 원문의 코드를 확인하세요.",
            "The buyer tries again. If it comes back, look at the code in the PG's text below.",
        ),
        (
            "결제창을 열지 못했습니다. 결제된 금액은 없습니다. 잠시 후 다시 결제해 주세요.",
            "The payment window could not be opened. Nothing was charged. Please try again in a little while.",
        ),
        ("모든 결제가 이렇게 실패하면 채널 설정을 확인하세요.", "If every payment fails so, check the channel."),
    ),
    FailureCause.KEY_LOST: Explanation(
        ("빌링키를 받지 못함", "The billing key did not arrive"),
        Retry.AFTER_REGISTERING,
        ("구매자가 처음부터 다시 등록해야 합니다.", "The buyer has to register from the beginning."),
        (
            "결제 수단 등록이 완료되지 않았습니다. 다시 등록해 주세요.",
            "Your payment method was not registered completely. Please register again.",
        ),
        (
            "구매자에게 등록 페이지를 보내세요. 결제된 금액이 있으면 자동으로 환불됩니다.",
            "Send the buyer the page where they register. What was charged is given back by itself.",
        ),
    ),
    FailureCause.ALREADY_PAID: Explanation(
        ("이미 결제된 주문", "Paid already"),
        Retry.NO,
        (
            "재시도하지 마세요. 같은 주문번호의 다른 결제가 이미 완료되었습니다.",
            "Do not retry: another payment of this order has gone through.",
        ),
        (
            "이미 결제가 완료된 주문입니다. 다시 결제하지 않으셔도 됩니다.",
            "This order is paid already. You need not pay again.",
        ),
        ("같은 merchant_uid의 결제를 확인하세요.", "Look at the other payment of the same merchant_uid."),
    ),
    FailureCause.UNEXPLAINED: Explanation(
        ("PG가 알린 이유", "As the PG says"),
        Retry.UNKNOWN,
        ("알 수 없습니다. 아래 원문을 보고 판단하세요.", "Not known: read the PG's text below."),
        (
            "결제하지 못했습니다. 결제 수단을 확인하거나 다른 결제 수단으로 다시 결제해 주세요.",
            "Your payment failed. Please check your payment method, or pay with another one.",
        ),
        ("원문의 코드를 PG사에 문의하세요.", "Ask the PG about the code in its text."),
    ),
}
