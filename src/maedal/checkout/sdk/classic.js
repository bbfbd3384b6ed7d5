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
// Fetched or imported, it has no tag at all: then the gateway that served it is meant.
const SERVED_BY = "";
const gateway = tag?.dataset.gateway?.replace(/\/+$/, "") || (tag?.src ? gatewayOf(tag.src) : SERVED_BY);
const page = /** @type {{IMP?: unknown}} */ (/** @type {unknown} */ (window));

// Pages do include the script twice. The first object stays, with whatever was told to it.
page.IMP = page.IMP || createIamport({
  gateway() {
    if (!gateway) {
      throw new Error('결제 서버의 주소를 알 수 없습니다. 스크립트 태그에 data-gateway="https://…"를 추가해주세요. (The gateway is not known.)');
    }
    return new URL(gateway, document.baseURI).href.replace(/\/+$/, "");
  },
  nonce: () => tag?.nonce || "",
});
})();
