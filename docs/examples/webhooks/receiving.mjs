// Webhooks of maedal: proved to be ours, read again from the gateway, kept once. Used by the apps beside this file.
import { Webhook, WebhookVerificationError } from "standardwebhooks";

const { MAEDAL_URL, MAEDAL_API_KEY, MAEDAL_API_SECRET, MAEDAL_WEBHOOK_SECRET } = process.env;
const webhook = new Webhook(MAEDAL_WEBHOOK_SECRET); // whsec_…

/** Take one webhook and return the HTTP status to answer. `body` is the text that came, not what was parsed of it. */
export async function receive(body, headers) {
  try {
    // The body may be a form, so we read it ourselves.
    webhook.verify(body, headers, { jsonParse: false });
  } catch (error) {
    if (error instanceof WebhookVerificationError) return 401;
    throw error;
  }
  const form = (headers["content-type"] ?? "").startsWith("application/x-www-form-urlencoded");
  const told = form ? Object.fromEntries(new URLSearchParams(body)) : JSON.parse(body);

  // A webhook is only news. What is true, the gateway says.
  const payment = await readPayment(told.imp_uid);
  if (payment === null) return 200; // a test call, or another merchant's

  // webhook-id is the same in every try; behind its last "-" is a number that grows with each news of a payment.
  const news = Number(headers["webhook-id"].split("-").at(-1));
  if (keep(payment, news)) {
    // Compare the amount with your order before you deliver anything.
    console.log("kept", payment.merchant_uid, payment.status, payment.amount, payment.cancel_amount);
  }
  return 200;
}

// Stands for your database, and forgets when the process ends. There, one statement keeps out what came twice or late:
//   INSERT INTO payments VALUES (…) ON CONFLICT (imp_uid) DO UPDATE SET status = excluded.status,
//     cancelled = excluded.cancelled, news = excluded.news WHERE excluded.news > payments.news
const payments = new Map();
function keep(payment, news) {
  if (news <= (payments.get(payment.imp_uid)?.news ?? 0)) return false;
  payments.set(payment.imp_uid, { status: payment.status, cancelled: payment.cancel_amount, news });
  return true;
}

async function readPayment(impUid) {
  const token = await ask("POST", "/users/getToken", { imp_key: MAEDAL_API_KEY, imp_secret: MAEDAL_API_SECRET });
  return ask("GET", `/payments/${encodeURIComponent(impUid)}`, undefined, token.access_token);
}

async function ask(method, path, body, token) {
  const headers = { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) };
  const signal = AbortSignal.timeout(10_000);
  const answer = await fetch(MAEDAL_URL + path, { method, headers, body: body && JSON.stringify(body), signal });
  if (answer.status === 404) return null;
  if (!answer.ok) throw new Error(`${method} ${path}: HTTP ${answer.status}`); // 500, and the webhook comes again
  return (await answer.json()).response;
}
