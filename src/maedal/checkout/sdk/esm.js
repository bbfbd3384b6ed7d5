// @ts-check

/* iamport.js */

// ---- As an ES module ----

/** Where the gateway is. A page may assign to it before it pays. */
export const slots = { CORE_SERVER: gatewayOf(import.meta.url), CHECKOUT_SERVER: gatewayOf(import.meta.url) };

export default createIamport({
  gateway: () => new URL(slots.CORE_SERVER, document.baseURI).href.replace(/\/+$/, ""),
  // A module has no tag of its own; any script that the page's policy let in carries the nonce.
  nonce: () => document.querySelector("script")?.nonce || "",
});
