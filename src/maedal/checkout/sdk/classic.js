// @ts-check
(function () {
"use strict";

/* iamport.js */

// ---- As a classic script tag ----

/** @returns {HTMLScriptElement | null} */
function findTag() {
  if (document.currentScript instanceof HTMLScriptElement) return document.currentScript;
  // A loader ran us without a tag of our own: the youngest tag with one of our names is meant.
  const named = Array.from(document.scripts).filter((tag) => SCRIPT_PATH.test(tag.src));
  return named[named.length - 1] || null;
}

const tag = findTag();
const gateway = tag?.dataset.gateway?.replace(/\/+$/, "") || (tag?.src ? gatewayOf(tag.src) : "");
const page = /** @type {{IMP?: unknown}} */ (/** @type {unknown} */ (window));

// Pages do include the script twice. The first object stays, with whatever was told to it.
page.IMP = page.IMP || createIamport({
  gateway() {
    if (!gateway) throw new Error('The gateway is not known: add data-gateway="https://…" to the script tag.');
    return new URL(gateway, document.baseURI).href.replace(/\/+$/, "");
  },
  nonce: () => tag?.nonce || "",
});
})();
