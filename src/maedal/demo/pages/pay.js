// @ts-check
// How a page takes a payment with PortOne V1. Copy this file; panel.js shows what happens and is only for the demo.

/** @typedef {{merchant_uid: string, kind: string, name: string, amount: number, customer_uid: string | null,
 *   status: string, message: string | null, imp_uid: string | null, pay_method: string | null,
 *   receipt_url: string | null, ordered_at: number, settled_at: number | null}} Order */

export const shop = JSON.parse(document.getElementById('shop').textContent);
const buyer = { buyer_name: '김민지', buyer_email: 'minji@example.com', buyer_tel: '010-1234-5678' };

/** A sentence for the buyer. */
export class ShopError extends Error {}

/**
 * Order, pay, check.
 * @param {'register' | 'first' | 'once'} kind
 * @param {(step: 'order' | 'window' | 'confirm') => void} onStep
 * @returns {Promise<Order>} the order as the shop's server knows it afterwards
 */
export async function buy(kind, onStep) {
  // 1. The shop's server writes the order down and decides the price.
  onStep('order');
  await sdkLoaded();
  const order = await ask('POST', '/api/orders', { kind });

  // 2. The payment window. With a customer_uid it registers the payment method for later charges.
  onStep('window');
  const params = {
    pg: 'kakaopay',
    merchant_uid: order.merchant_uid,
    name: order.name,
    amount: order.amount,
    ...(order.customer_uid && { customer_uid: order.customer_uid }),
    ...buyer,
    notice_url: shop.webhookUrl,
    m_redirect_url: `${location.origin}/payments/complete`, // a phone leaves this page and comes back there
  };
  const rsp = await requestPay(params);

  // 3. Whatever the window says: the server looks the payment up and decides.
  onStep('confirm');
  return ask('POST', '/payments/complete', {
    merchant_uid: order.merchant_uid,
    imp_uid: rsp.imp_uid,
    error_code: rsp.error_code && String(rsp.error_code).slice(0, 100),
    error_msg: rsp.error_msg && String(rsp.error_msg).slice(0, 500),
  });
}

/** Charge a registered payment method: no window, the server does it. */
export async function charge(customer_uid, amount) {
  const order = await ask('POST', '/api/orders', { kind: 'again', customer_uid, amount });
  return ask('POST', `/api/orders/${order.merchant_uid}/charge`);
}

export const check = (merchant_uid) => ask('POST', `/api/orders/${merchant_uid}/check`);

export const endSubscription = (customer_uid) => ask('DELETE', `/api/subscriptions/${customer_uid}`);

/** Charge it each month from now on; the shop's server plans each charge with the payment server. */
export const plan = (customer_uid, amount) => ask('POST', `/api/subscriptions/${customer_uid}/plan`, { amount });

export const stopPlan = (customer_uid) => ask('DELETE', `/api/subscriptions/${customer_uid}/plan`);

function requestPay(params) {
  tell('request_pay', params);
  return new Promise((resolve) => {
    const { IMP } = window;
    IMP.init(shop.identificationCode);
    IMP.request_pay(params, (rsp) => {
      tell('callback', rsp);
      resolve(rsp);
    });
  });
}

/** The script tag may have failed while the payment server was away: try once more when it is needed. */
async function sdkLoaded() {
  if (window.IMP) return;
  const tag = document.createElement('script');
  tag.src = `${shop.gatewayUrl}/v1/iamport.js`;
  tag.nonce = document.querySelector('script[nonce]')?.nonce ?? '';
  await new Promise((resolve) => {
    tag.onload = tag.onerror = resolve;
    document.head.append(tag);
  });
  if (!window.IMP) throw new ShopError(shop.texts.error_sdk.replace('{url}', tag.src));
}

/** Ask the shop's server. Throws a ShopError with a sentence for the buyer. */
export async function ask(method, path, body) {
  let reply;
  try {
    reply = await fetch(path, {
      method,
      headers: body ? { 'Content-Type': 'application/json' } : {},
      body: body && JSON.stringify(body),
    });
  } catch {
    throw new ShopError(shop.texts.error_shop_down);
  }
  const answer = await reply.json().catch(() => null);
  if (reply.ok && answer) return answer;
  const sentence = answer?.message ?? shop.texts.error_unexpected;
  throw new ShopError(answer?.detail && answer.error === 'gateway_refused' ? `${sentence} ${answer.detail}` : sentence);
}

/** For the demo's log only. */
function tell(kind, body) {
  const headers = { 'Content-Type': 'application/json' };
  fetch('/api/journal', { method: 'POST', headers, body: JSON.stringify({ kind, body }), keepalive: true }).catch(() => {});
}
