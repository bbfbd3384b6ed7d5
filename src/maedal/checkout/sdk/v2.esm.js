// @ts-check

/* portone.js */

export const {
  requestPayment,
  requestIssueBillingKey,
  requestIssueBillingKeyAndPay,
  requestIdentityVerification,
  loadPaymentUI,
  loadIssueBillingKeyUI,
  updateLoadPaymentUIRequest,
  updateLoadIssueBillingKeyUIRequest,
} = PortOne;
export default PortOne;
