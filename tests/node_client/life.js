// The whole life of a billing key as a shop's server lives it, with PortOne's own client and nothing changed but the address.
// Reads {baseUrl, apiKey, apiSecret, customerUid} as JSON; says a line of JSON per step, and waits for a line before the next.
const readline = require("readline");
const { Iamport, Request } = require("iamport-rest-client-nodejs");

const { Customers, Payments, Prepare, Subscribe } = Request;

async function main() {
  const told = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  const next = async () => JSON.parse((await told.next()).value);
  const { baseUrl, apiKey, apiSecret, customerUid: customer_uid } = await next();
  const iamport = new Iamport({ apiKey, apiSecret, baseUrl });
  const say = async (step, what) => {
    process.stdout.write(`${JSON.stringify({ step, what })}\n`);
    return next();
  };
  const done = async (request) => (await request.request(iamport)).data;
  const refused = (request) =>
    request.request(iamport).then(
      (answer) => ({ unexpected: answer.data }),
      (error) => ({ status: error.response.status || 200, ...error.response.data }),
    );

  await say("token", (await iamport.getToken()).data.response);
  await say("key", await done(Customers.getBillingKey({ customer_uid })));
  await say("keys", await done(Customers.getBillingKeys({ customer_uid: [customer_uid, "nobody"] })));
  const order = { customer_uid, amount: 3000, name: "월간 이용권" };
  const charged = await done(Subscribe.again({ ...order, merchant_uid: "node_paid" }));
  const paid = charged.response;
  await say("paid", charged);
  await say("declined", await done(Subscribe.again({ ...order, merchant_uid: "node_declined" })));
  await say("used", await refused(Subscribe.again({ ...order, merchant_uid: "node_paid" })));
  await say("found", await done(Payments.getByImpUid({ imp_uid: paid.imp_uid })));
  await say("found by order", await done(Payments.getByMerchantUid({ merchant_uid: "node_paid" })));
  await say("several", await done(Payments.getByImpUids({ imp_uid: [paid.imp_uid, "imp_000000000000"] })));
  await say("by status", await done(Payments.getByStatus({ status: "paid", limit: 1 })));

  const { soon, later } = await say("plan", null);
  const plan = (merchant_uid, schedule_at) => ({ merchant_uid, schedule_at, amount: 1000, name: "예약 결제" });
  const schedules = [plan("node_run", soon), plan("node_moved", later), plan("node_revoked", later)];
  await say("planned", await done(Subscribe.schedule({ customer_uid, schedules })));
  await say("run", await done(Subscribe.getScheduled({ merchant_uid: "node_run" })));
  await say("revoked", await done(Subscribe.unschedule({ customer_uid, merchant_uid: ["node_revoked"] })));
  // The client has no method for this; it goes over the client's own connection, with its own token.
  const again = { schedule_at: later + 86400 };
  const headers = await iamport.getHeaders();
  const path = "/subscribe/payments/schedule/node_revoked";
  await say("planned anew", (await iamport.getApiInstance().post(`${path}/reschedule`, again, { headers })).data);
  await say("moved", (await iamport.getApiInstance().put(path, { schedule_at: later }, { headers })).data);
  await say("revoked again", await done(Subscribe.unschedule({ customer_uid, merchant_uid: ["node_revoked"] })));
  await say("nothing to revoke", await refused(Subscribe.unschedule({ customer_uid, merchant_uid: ["node_revoked"] })));
  const span = await say("span", null);
  await say("scheduled", await done(Subscribe.getScheduleds({ customer_uid, ...span })));
  await say("scheduled by customer", await done(Customers.getScheduleds({ customer_uid, ...span })));

  const cancel = { imp_uid: paid.imp_uid, reason: "변심" };
  await say("partly cancelled", await done(Payments.cancel({ ...cancel, amount: 1000, checksum: 3000 })));
  await say("wrong checksum", await refused(Payments.cancel({ ...cancel, amount: 1000, checksum: 3000 })));
  await say("wholly cancelled", await done(Payments.cancel(cancel)));
  await say("nothing left", await refused(Payments.cancel(cancel)));

  await say("registered", await done(Prepare.postAmount({ merchant_uid: "node_registered", amount: 500 })));
  await say("registered amount", await done(Prepare.getAmount({ merchant_uid: "node_registered" })));
  await say("payments of the key", await done(Customers.getPayments({ customer_uid, page: 1 })));
  await say("deleted", await done(Customers.deleteBillingKey({ customer_uid })));
  await say("gone", await refused(Customers.getBillingKey({ customer_uid })));
  await say("too late", await refused(Subscribe.again({ ...order, merchant_uid: "node_late" })));
  await say("missing", await refused(Payments.getByImpUid({ imp_uid: "imp_000000000000" })));
  process.exit(0);
}

main().catch((error) => {
  process.stderr.write(`${error.stack || JSON.stringify(error.response && error.response.data) || error}\n`);
  process.exit(1);
});
