// A subscription in three steps: register a billing key on a page, charge it, and take a no for a no.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const { MAEDAL_URL, MAEDAL_CODE, MAEDAL_API_KEY, MAEDAL_API_SECRET, PORT } = process.env;
const customerUid = "member_1"; // in your shop, one for each customer

/** Returns HTTP status and envelope of a call with a token of its own; asking again gives the same token. */
async function call(method, path, body) {
  const pair = { imp_key: MAEDAL_API_KEY, imp_secret: MAEDAL_API_SECRET };
  const [, token] = await send("POST", "/users/getToken", pair);
  return send(method, path, body, { Authorization: `Bearer ${token.response.access_token}` });
}

async function send(method, path, body, headers = {}) {
  const sent = { method, headers: { "Content-Type": "application/json", ...headers }, signal: AbortSignal.timeout(60_000) };
  const answer = await fetch(MAEDAL_URL + path, body ? { ...sent, body: JSON.stringify(body) } : sent);
  return [answer.status, await answer.json()];
}

/** The page says that it went well; whether it did, the gateway says. */
async function registered(impUid) {
  const [status, { response, message }] = await call("GET", `/payments/${encodeURIComponent(impUid)}`);
  if (status === 200 && response.status === "paid" && response.customer_uid === customerUid) return { result: "registered" };
  return { result: "refused", why: message ?? response.fail_reason };
}

async function charge(merchantUid, amount) {
  const wish = { customer_uid: customerUid, merchant_uid: merchantUid, amount, name: "월간 이용권" };
  const [, answer] = await call("POST", "/subscribe/payments/again", wish);
  let payment = answer.response;
  if (answer.code !== 0) {
    // Not carried out, or not known: what is written under our order number tells which.
    const [status, found] = await call("GET", `/payments/find/${encodeURIComponent(merchantUid)}`);
    if (status === 404) return { result: "refused", why: answer.message };
    payment = found.response;
  }
  if (payment.status === "ready") return { result: "unclear", why: answer.message }; // never charge it again; a webhook tells the end
  if (payment.status === "failed") return { result: "refused", why: payment.fail_reason };
  return { result: payment.status, imp_uid: payment.imp_uid };
}

createServer(async (request, response) => {
  if (request.method === "GET") {
    const filled = { gateway: MAEDAL_URL, code: MAEDAL_CODE, customer_uid: customerUid };
    const page = readFileSync("page.html", "utf8").replace(/\{\{(\w+)\}\}/g, (_, name) => filled[name]);
    response.writeHead(200, { "Content-Type": "text/html; charset=utf-8" }).end(page);
    return;
  }
  let body = "";
  for await (const piece of request) body += piece;
  const asked = JSON.parse(body);
  const done = request.url === "/registered" ? await registered(asked.imp_uid) : await charge(asked.merchant_uid, asked.amount);
  response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(done));
}).listen(Number(PORT), "127.0.0.1");
