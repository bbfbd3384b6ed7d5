// @ts-check
/*
 * What pages of PortOne V2 find here until this gateway speaks V2: every method rejects with a sentence that says so, in the
 * shape of V2's own errors (docs/wire/portone-browser-sdk.md 5). A missing script would only say that it is missing.
 */

const NOT_V2 =
  "이 게이트웨이는 포트원 V1 연동만 지원합니다. 페이지에서 /v1/iamport.js를 불러와 IMP.request_pay를 사용해주세요. (This gateway speaks PortOne V1 only.)";

/** By method, the type by which V2's pages know its error, and what was asked for. @type {Record<string, [string, string]>} */
const METHODS = {
  requestPayment: ["PaymentError", "PAYMENT"],
  requestIssueBillingKey: ["IssueBillingKeyError", "ISSUE_BILLING_KEY"],
  requestIssueBillingKeyAndPay: ["IssueBillingKeyAndPayError", "ISSUE_BILLING_KEY_AND_PAY"],
  requestIdentityVerification: ["IdentityVerificationError", "IDENTITY_VERIFICATION"],
  loadPaymentUI: ["LoadPaymentUIError", "PAYMENT"],
  loadIssueBillingKeyUI: ["LoadIssueBillingKeyUIError", "ISSUE_BILLING_KEY"],
  updateLoadPaymentUIRequest: ["LoadPaymentUIError", "PAYMENT"],
  updateLoadIssueBillingKeyUIRequest: ["LoadIssueBillingKeyUIError", "ISSUE_BILLING_KEY"],
};

/** @param {string} name @returns {() => Promise<never>} */
function refusing(name) {
  const [__portOneErrorType, transactionType] = METHODS[name];
  return () => {
    const told = { code: "Unimplemented", __portOneErrorType, transactionType };
    return Promise.reject(Object.assign(new Error(NOT_V2), told));
  };
}

const PortOne = Object.fromEntries(Object.keys(METHODS).map((name) => [name, refusing(name)]));
