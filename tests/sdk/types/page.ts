// A shop's page, as TypeScript users of the real service write it.
import type { RequestPayParams, RequestPayResponse } from "iamport-typings";

async function verify(imp_uid: string | null, merchant_uid: string): Promise<void> {
  await fetch("/payments/complete", { method: "POST", body: JSON.stringify({ imp_uid, merchant_uid }) });
}

function onPaid(rsp: RequestPayResponse): void {
  if (rsp.success) void verify(rsp.imp_uid, rsp.merchant_uid);
  else if (rsp.error_msg === "[결제포기] 사용자가 결제를 취소하셨습니다") console.log("cancelled");
  else alert(`결제에 실패하였습니다. ${rsp.error_msg}`);
}

export function subscribe(): void {
  const { IMP } = window;
  if (!IMP) return;
  IMP.init("imp00000000");
  const params: RequestPayParams = {
    pg: "kakaopay.TCSUBSCRIP",
    pay_method: "card",
    merchant_uid: `order_${Date.now()}`,
    customer_uid: "c_1",
    name: "월 구독",
    amount: 9900,
    buyer_tel: "010-0000-0000",
    m_redirect_url: "https://shop.example/done",
  };
  IMP.request_pay(params, onPaid);
}
