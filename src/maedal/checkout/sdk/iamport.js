// @ts-check
/*
 * The browser side of the gateway: `window.IMP`, as pages written for iamport / PortOne V1 know it.
 * It asks, shows and reports; the gateway decides.
 *
 * What pages rely on: docs/wire/portone-browser-sdk.md. What the gateway answers: docs/wire/sdk-endpoints.md.
 */

/**
 * @typedef {Partial<Record<"pg" | "channelKey" | "merchant_uid" | "amount" | "tax_free" | "currency" | "language" |
 *   "pay_method" | "customer_uid" | "m_redirect_url" | "kakaopayMobileAsPC", unknown>>} PayParams
 *   What a page gives to `request_pay`, as far as the SDK itself reads it.
 *
 * @typedef {{success?: boolean, imp_success?: boolean, imp_uid: string | null, merchant_uid: string,
 *   error_code?: string, error_msg?: string, status?: "ready" | "paid" | "failed"}} PayResult
 *   What a callback gets, and more. A failure has `error_code` and `error_msg`, a success neither.
 *
 * @typedef {(result: PayResult) => void} Callback
 * @typedef {{pgIframeContainer?: HTMLElement}} InitOptions
 * @typedef {{code: string, tier: string | null, container: HTMLElement | null}} Seller
 * @typedef {{mobile: boolean, ios: boolean}} Device
 * @typedef {keyof typeof SENTENCE} Code
 *
 * @typedef {object} Call One `request_pay`, from the page's call to its callback.
 * @property {PayParams & {merchant_uid: string}} params
 * @property {Callback | null} callback
 * @property {Device} device
 * @property {string} gateway
 * @property {string} nonce
 * @property {ReturnType<typeof openLayer>} layer
 * @property {string[]} origins Where the frame's message may come from.
 * @property {string} impUid Empty until the gateway has opened the window.
 * @property {string} token
 * @property {number} deadline
 * @property {number} wait Milliseconds until the next look at the state.
 * @property {number} timer
 * @property {boolean} asking A look at the state is under way.
 * @property {boolean} closing The buyer has confirmed that they want out.
 * @property {boolean} over
 */

// ---- The words ----

const MESSAGE_FROM = "imp-gateway";
const MESSAGE_RESULT = "result";
const MESSAGE_SHOWN = "shown";
const STATE = Object.freeze({ WORKING: "working", DONE: "done" });
const SCRIPT_PATH = /\/(v1\/iamport(\.esm)?|js\/iamport\.payment[^/]*)\.js/;

const OPEN_TIMEOUT_MS = 30_000;
const POLL_FIRST_MS = 2_000;
const POLL_MAX_MS = 10_000;
const POLL_GROWTH = 1.25;
// The gateway closes an expired payment by itself; the SDK gives it this long to say so, also when the payment was
// approved at the last moment and the merchant wants to be told first.
const DEADLINE_GRACE_MS = 90_000;
const CLOSE_RETRIES_MS = [0, 1_000, 2_000, 4_000];
const NAVIGATION_MAX_MS = 10_000;
const PAGE_URL_LENGTH_MAX = 2_000;
// A page of ours says that it is shown before the frame has loaded; this is for a slow machine.
const SHOWN_WAIT_MS = 1_500;
const POPUP_LOOK_MS = 500;
// The names by which a result is told in an address.
const RETURN_FIELD = /^(imp_uid|merchant_uid|imp_success|success|error_code|error_msg)$/;
// Schemes to which nobody is sent, as a regular expression: the gateway puts its own in here.
const NEVER = "javascript|data|vbscript";
// Where browsers guard this machine and the network around it from pages of the internet.
const LOCAL_HOST =
  /^(localhost|.+\.(localhost|local)|127\..+|10\..+|192\.168\..+|172\.(1[6-9]|2\d|3[01])\..+|169\.254\..+|\[::1\]|\[f[cde].+)$/;

const NO_PARAMS = "결제요청 파라메터가 누락되었습니다.";
const LOCAL_HINT =
  "결제 서버가 로컬 주소에 있어 브라우저가 접근을 막았을 수 있습니다. https 페이지에서 로컬 네트워크 접근을 허용해주세요. (the gateway has a local address: allow local network access, from an https page)";
const BAD_CONTAINER = "포트원 컨테이너가 올바른 DOM Element 형식이 아닙니다.";

// By `error_code`. Shops compare these sentences and show them unchanged, so they are Korean whatever `language` says.
const SENTENCE = Object.freeze({
  NOT_INITIALIZED: "판매자 코드가 설정되지 않았습니다. IMP.init()함수를 먼저 호출하세요.",
  ALREADY_OPEN: "이미 진행 중인 결제가 있습니다.",
  INVALID_AMOUNT: "결제금액이 올바르지 않습니다.",
  INVALID_MERCHANT_UID: "주문번호(merchant_uid)가 올바르지 않습니다.",
  CURRENCY_NOT_SUPPORTED: "카카오페이는 원화(KRW) 결제만 지원합니다.",
  NETWORK_ERROR: "결제 서버에 연결하지 못했습니다. 잠시 후 다시 시도해주세요.",
  SDK_ERROR: "결제모듈 구동 중에 오류가 발생하였습니다. 페이지 새로고침 후 다시 시도해주세요.",
  UNKNOWN: "결제 결과를 확인하고 있습니다. 주문 내역에서 결과를 확인해주세요.",
  F1001: "등록되지 않은 PG모듈 정보입니다. 아임포트 관리자페이지에서 PG모듈 정보를 설정하신 후 다시 시도해주세요.",
});

const WORDS = {
  ko: {
    title: "카카오페이 결제",
    close: "결제창 닫기",
    loading: "잠시만 기다려주세요…",
    working: "결제 결과를 확인하고 있습니다.",
    empty: "결제 화면이 보이지 않나요?",
    popup: "새 창에서 열기",
    elsewhere: "새 창에서 결제를 진행해주세요.",
    gone: "새 창을 닫으셨다면 다시 열어주세요.",
    again: "새 창 다시 열기",
    blocked: "이 화면에는 결제창을 표시할 수 없습니다. 새 창에서 열어주세요.",
    local:
      "결제 서버가 이 컴퓨터나 같은 네트워크에 있어 브라우저가 결제 화면을 막았습니다. 로컬 네트워크 접근을 허용하거나 새 창에서 열어주세요.",
    ask: "결제를 취소하시겠습니까?",
    keep: "계속 결제하기",
    cancel: "결제 취소",
  },
  en: {
    title: "KakaoPay payment",
    close: "Close the payment window",
    loading: "One moment, please…",
    working: "Checking the result of your payment.",
    empty: "Is the payment page not showing?",
    popup: "Open in a new window",
    elsewhere: "Please finish your payment in the new window.",
    gone: "If you have closed the new window, open it again.",
    again: "Open the new window again",
    blocked: "The payment page cannot be shown here. Please open it in a new window.",
    local:
      "The payment server is on this computer or its network, and the browser has blocked the payment page. Allow access to the local network, or open it in a new window.",
    ask: "Cancel this payment?",
    keep: "Continue payment",
    cancel: "Cancel payment",
  },
};

/** What differs when nothing is paid: a billing key is registered. @type {Record<keyof typeof WORDS, Partial<typeof WORDS.ko>>} */
const WORDS_OF_KEY = {
  ko: {
    title: "카카오페이 정기결제 등록",
    working: "정기결제 등록 결과를 확인하고 있습니다.",
    empty: "등록 화면이 보이지 않나요?",
    elsewhere: "새 창에서 정기결제를 등록해주세요.",
    ask: "정기결제 등록을 취소하시겠습니까?",
    keep: "계속 등록하기",
    cancel: "등록 취소",
  },
  en: {
    title: "KakaoPay automatic payment",
    working: "Checking the result of your registration.",
    empty: "Is the page not showing?",
    elsewhere: "Please finish in the new window.",
    ask: "Cancel this registration?",
    keep: "Continue",
    cancel: "Cancel registration",
  },
};

/** What stops a call before a window opens. */
class Refused extends Error {
  /** @param {Code} code */
  constructor(code) {
    super(code);
    this.code = code;
  }
}

/**
 * @param {string} merchant_uid
 * @param {Code} code
 * @returns {PayResult}
 */
function failure(merchant_uid, code) {
  const told = { merchant_uid, error_code: code, error_msg: SENTENCE[code] };
  return { success: false, imp_success: false, imp_uid: null, ...told };
}

// ---- Parameters ----

/**
 * Whole won. Apps and forms send digits as text; anything that would need interpreting ("1,000", "1e3") is refused.
 * @param {unknown} value
 */
function toWon(value) {
  const won = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof won !== "number" || !Number.isSafeInteger(won) || won < 0) throw new Refused("INVALID_AMOUNT");
  return won;
}

/** `x && y` is `false` in a page that has no `x`. @param {unknown} value */
function isBlank(value) {
  return value === undefined || value === null || value === false || (typeof value === "string" && !value.trim());
}

/**
 * @param {unknown} value
 * @returns {string}
 */
function toMerchantUid(value) {
  if (isBlank(value)) return `nobody_${Date.now()}`;
  if (typeof value === "string") return value;
  if (typeof value === "number" && Number.isSafeInteger(value)) return String(value);
  throw new Refused("INVALID_MERCHANT_UID");
}

/**
 * The parameters to send: the page's own, with what is missing filled in. Throws `Refused`.
 * @param {PayParams} given
 * @returns {PayParams & {merchant_uid: string}}
 */
function toParams(given) {
  const merchant_uid = toMerchantUid(given.merchant_uid);
  const amount = toWon(given.amount);
  // Nothing to pay makes sense only when a billing key is asked for.
  if (amount === 0 && isBlank(given.customer_uid)) throw new Refused("INVALID_AMOUNT");
  if (!isBlank(given.currency) && !/^(CURRENCY_)?KRW$/i.test(String(given.currency).trim())) {
    throw new Refused("CURRENCY_NOT_SUPPORTED");
  }
  const tax_free = isBlank(given.tax_free) ? undefined : toWon(given.tax_free);
  const pay_method = isBlank(given.pay_method) ? "card" : given.pay_method;
  // Relative to the page, as a browser takes it; what is no address is the gateway's to judge.
  const m_redirect_url = destination(given.m_redirect_url) || given.m_redirect_url;
  return { ...given, merchant_uid, amount, pay_method, tax_free, m_redirect_url };
}

/** @returns {Device} */
function readDevice() {
  const { userAgent, maxTouchPoints } = navigator;
  // An iPad calls itself a Mac; no Mac has a touch screen.
  const ios = /iPhone|iPad|iPod/i.test(userAgent) || (/Macintosh/.test(userAgent) && maxTouchPoints > 1);
  return { ios, mobile: ios || /Android|Mobile/i.test(userAgent) };
}

/** @param {string} address */
function isLocal(address) {
  return LOCAL_HOST.test(new URL(address, document.baseURI).hostname);
}

/** Whether this page is of the internet, or of nowhere, and `address` is not. @param {string} address */
function isGuarded(address) {
  return isLocal(address) && !isLocal(location.href);
}

function newNonce() {
  // Not `randomUUID`: it is missing on pages served over plain http.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// ---- Talking to the gateway ----

/** @param {string} src An address of this script. */
function gatewayOf(src) {
  const { origin, pathname } = new URL(src, document.baseURI);
  // A gateway may live below a path of its host.
  return origin + pathname.slice(0, Math.max(0, pathname.search(SCRIPT_PATH)));
}

/**
 * The object the gateway answered. Throws when there was no answer, or none of ours.
 * @param {string} url
 * @param {object | null} body Null asks without one.
 * @param {string} [token] Of an open window. Addresses end in logs and histories, so it is not a part of one.
 * @returns {Promise<any>}
 */
async function ask(url, body, token) {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), OPEN_TIMEOUT_MS);
  try {
    /** @type {Record<string, string>} */
    const headers = body ? { "Content-Type": "application/json" } : {};
    if (token) headers.Authorization = `Bearer ${token}`;
    const answer = await fetch(url, {
      method: body ? "POST" : "GET",
      headers,
      body: body ? JSON.stringify(body) : undefined,
      credentials: "omit",
      cache: "no-store",
      signal: patience.signal,
    });
    const said = await answer.json();
    if (!said || !(answer.ok || said.error_code)) throw new Error(`HTTP ${answer.status}`);
    return said;
  } finally {
    clearTimeout(timer);
  }
}

/** @param {number} milliseconds */
function pause(milliseconds) {
  return new Promise((go) => setTimeout(go, milliseconds));
}

// ---- Going back to the shop ----

/**
 * Mobile SDKs decode the whole address before they split it, some of them three times, so these four characters
 * would cut a sentence in pieces even when encoded. Their full-width forms read the same and survive.
 * @param {string} text
 */
function softened(text) {
  return text.replace(/[%&#+]/g, (sign) => String.fromCharCode(sign.charCodeAt(0) + 0xfee0));
}

/**
 * Where a browser goes that is sent to `given` from this page. Empty when that is nowhere, or would run code.
 * @param {unknown} given
 */
function destination(given) {
  if (typeof given !== "string" || !given.trim()) return "";
  try {
    const { href, protocol } = new URL(given, document.baseURI);
    return new RegExp(`^(${NEVER}):$`).test(protocol) ? "" : href;
  } catch {
    return "";
  }
}

/**
 * The shop's own address with the result added; its query and fragment stay, but for the result of an earlier try.
 * @param {unknown} given
 * @param {PayResult} result
 * @param {object} [extra]
 */
function returnUrl(given, result, extra) {
  const address = destination(given);
  if (!address) return "";
  const { imp_uid, merchant_uid, error_code, error_msg } = result;
  const imp_success = succeeded(result);
  const told = imp_success ? {} : { error_code: softened(`${error_code}`), error_msg: softened(`${error_msg}`) };
  const added = Object.entries({ imp_uid: imp_uid || undefined, merchant_uid, imp_success, ...extra, ...told })
    .filter(([, value]) => value !== undefined)
    // Half a surrogate pair cannot be encoded.
    .map(([key, value]) => `${key}=${encodeURIComponent(`${value}`.replace(/[\ud800-\udfff]/gu, "\ufffd"))}`);
  const [, head, query, fragment] = /** @type {RegExpMatchArray} */ (address.match(/^([^?#]*)\??([^#]*)(#[^]*)?$/));
  const kept = query.split("&").filter((piece) => !RETURN_FIELD.test([...new URLSearchParams(piece).keys()][0]));
  while (kept.length && !kept[kept.length - 1]) kept.pop();
  return `${head}?${kept.concat(added).join("&")}${fragment || ""}`;
}

/** @param {PayResult} result */
function succeeded(result) {
  return result.success === true || result.imp_success === true;
}

/**
 * Bring a result to the page: to its callback, and without one in the way the device allows.
 * @param {{callback: Callback | null, device: Device, gateway: () => string, redirect: unknown, extra?: object}} to
 * @param {PayResult} result
 */
function deliver({ callback, device, gateway, redirect, extra }, result) {
  if (callback) {
    // In a task of its own: a callback that throws is the page's error and stops nothing of ours.
    setTimeout(callback, 0, result);
  } else if (device.mobile) {
    const url = returnUrl(redirect, result, extra);
    if (url) location.assign(url);
    else if (!succeeded(result)) location.assign(`${gateway()}/checkout/failure?code=${result.error_code}`);
  } else if (!succeeded(result)) {
    alert(result.error_msg);
  }
}

// ---- The layer ----

const STYLE_ID = "imp-style";
/** @type {CSSStyleSheet | undefined} */
let sheet;
// The class names are those that shops already style. Two classes a rule, so that a page's `button {…}` stays out.
const STYLE = `
.imp-dialog{position:fixed;inset:0;z-index:99999;margin:0;display:flex;align-items:center;justify-content:center;
padding:16px;background:rgba(0,0,0,.5);overscroll-behavior:contain;color-scheme:light;animation:imp-fade .18s ease-out}
.imp-dialog,.imp-dialog *{box-sizing:border-box;font:400 15px/1.5 -apple-system,BlinkMacSystemFont,"Apple SD Gothic Neo",
"Noto Sans KR","Malgun Gothic",sans-serif;color:#16181d;letter-spacing:-.01em;text-align:left;
text-transform:none;text-shadow:none;word-break:keep-all}
dialog.imp-dialog.customizable{width:100%;height:100%;max-width:none;max-height:none;margin:0;border:0;border-radius:0;
box-shadow:none;overflow:hidden}
.imp-dialog::backdrop{background:none}
.imp-dialog *{background:none;min-width:0;min-height:0;margin:0;padding:0;border:0;float:none}
.imp-dialog [hidden]{display:none!important}
.imp-dialog .imp-panel{position:relative;display:flex;flex-direction:column;width:426px;max-width:100%;max-height:100%;
overflow:hidden;background:#fff;border-radius:16px;outline:1px solid transparent;
box-shadow:0 0 0 1px rgba(0,0,0,.06),0 24px 64px rgba(0,0,0,.28);animation:imp-rise .24s cubic-bezier(.2,.8,.2,1)}
.imp-dialog .imp-header{display:flex;flex:none;align-items:center;justify-content:space-between;height:56px;
padding:0 8px 0 24px;background:#fff;border-bottom:1px solid #eef0f2}
.imp-dialog .imp-title{font-size:16px;font-weight:700}
.imp-dialog .imp-close{position:relative;flex:none;width:40px;height:40px;border-radius:20px;
background:none;cursor:pointer}
.imp-dialog .imp-close::before,.imp-dialog .imp-close::after{content:"";position:absolute;top:19px;left:12px;width:16px;
border-top:2px solid #4a4f58;border-radius:1px;transform:rotate(45deg)}
.imp-dialog .imp-close::after{transform:rotate(-45deg)}
.imp-dialog .imp-close:hover{background:#f3f4f6}
.imp-dialog :disabled{visibility:hidden}
.imp-dialog .imp-body{position:relative;display:flex;flex:0 1 550px;min-height:0;background:#fff}
.imp-dialog .imp-frame{display:block;width:426px;max-width:100%;height:550px;max-height:100%;background:#fff}
.imp-dialog .imp-status{position:absolute;inset:0;display:flex;flex-direction:column;align-items:center;
justify-content:center;gap:24px;padding:24px;background:#fff}
.imp-dialog .imp-status p{color:#4a4f58;text-align:center;text-wrap:balance}
.imp-dialog .imp-again{padding:14px 24px;border-radius:12px;background:#16181d;color:#fff;font-weight:600;cursor:pointer}
.imp-dialog .imp-again:hover{background:#2b2f36}
.imp-dialog .imp-spinner{width:36px;height:36px;border:3px solid #e8eaed;border-top-color:#16181d;border-radius:50%;
animation:imp-turn .9s linear infinite}
.imp-dialog .imp-footer{display:flex;flex:none;align-items:center;justify-content:center;gap:8px;min-height:48px;
padding:8px 24px;background:#fff;border-top:1px solid #eef0f2}
.imp-dialog .imp-footer *{font-size:13px;color:#6b7078}
.imp-dialog .imp-footer .imp-popup{padding:4px 0;color:#16181d;font-weight:600;text-decoration:underline;
text-underline-offset:3px}
.imp-dialog .imp-ask{position:absolute;inset:0;display:flex;align-items:flex-end;
background:rgba(22,24,29,.5);animation:imp-fade .14s ease-out}
.imp-dialog .imp-card{width:100%;padding:32px 24px 24px;background:#fff;border-radius:16px 16px 0 0;
animation:imp-rise .2s cubic-bezier(.2,.8,.2,1)}
.imp-dialog .imp-card p{margin:0 0 24px;font-size:18px;font-weight:700;text-align:center}
.imp-dialog .imp-card div{display:flex;gap:8px}
.imp-dialog .imp-card button{flex:1;height:52px;padding:0 12px;border-radius:12px;background:#f1f2f4;
font-weight:600;text-align:center;cursor:pointer}
.imp-dialog .imp-card button:hover{background:#e8eaed}
.imp-dialog .imp-card .imp-keep{background:#16181d;color:#fff}
.imp-dialog .imp-card .imp-keep:hover{background:#2b2f36}
.imp-dialog :focus{outline:none}
.imp-dialog :focus-visible{outline:2px solid #16181d;outline-offset:2px}
.imp-dialog .imp-panel:focus-visible,.imp-dialog .imp-frame:focus-visible{outline:none}
.imp-dialog .imp-edge{position:absolute;width:1px;height:1px;overflow:hidden;outline:none}
.imp-dialog.imp-embedded{position:relative;z-index:auto;padding:0;background:none}
.imp-dialog.imp-embedded .imp-panel{width:100%;box-shadow:none}
.imp-dialog.imp-embedded .imp-frame{width:100%}
.imp-locked,.imp-locked body{overflow:hidden}
@media (max-width:480px){
.imp-dialog:not(.imp-embedded){padding:0;background:#fff}
.imp-dialog:not(.imp-embedded) .imp-panel{width:100%;height:100%;border-radius:0;box-shadow:none;
padding:env(safe-area-inset-top) 0 env(safe-area-inset-bottom)}
.imp-dialog:not(.imp-embedded) .imp-body{flex:1}
.imp-dialog .imp-frame{width:100%;height:100%}}
@media (max-height:690px){.imp-dialog:not(.imp-embedded){padding-block:0}.imp-dialog .imp-header{height:44px}
.imp-dialog .imp-footer{min-height:0;padding:2px 16px}}
@media (forced-colors:active){.imp-dialog .imp-panel,.imp-dialog button{border:1px solid}
.imp-dialog .imp-spinner{border-top-color:Highlight;forced-color-adjust:none}}
@media (prefers-reduced-motion:reduce){.imp-dialog,.imp-dialog *{animation:none!important}}
@keyframes imp-fade{from{opacity:0}}
@keyframes imp-rise{from{opacity:0;transform:translateY(12px)}}
@keyframes imp-turn{to{transform:rotate(1turn)}}`;

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {string} className
 * @param {Record<string, string>} [attributes]
 * @param {...(Node | string)} inside
 * @returns {HTMLElementTagNameMap[Tag]}
 */
function element(tag, className, attributes = {}, ...inside) {
  const made = document.createElement(tag);
  made.className = className;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...inside);
  return made;
}

/** @param {string} nonce For browsers that only know sheets of a tag. */
function addStyle(nonce) {
  if ("adoptedStyleSheets" in document && "replaceSync" in CSSStyleSheet.prototype) {
    // A page's policy for styles is about what it loads and writes; this is neither.
    if (!sheet) (sheet = new CSSStyleSheet()).replaceSync(STYLE);
    if (!document.adoptedStyleSheets.includes(sheet)) {
      document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    }
  } else if (!document.getElementById(STYLE_ID)) {
    const style = element("style", "", { id: STYLE_ID }, STYLE);
    style.nonce = nonce;
    document.head.append(style);
  }
}

function removeStyle() {
  if (sheet) document.adoptedStyleSheets = document.adoptedStyleSheets.filter((other) => other !== sheet);
  document.getElementById(STYLE_ID)?.remove();
}

/**
 * Put the layer into the page and the focus into the layer.
 * @param {{mobile: boolean, ios: boolean, preset: boolean, language: unknown, key: boolean, local: boolean,
 *   guarded: boolean, container: HTMLElement | null, nonce: string, onClose: () => void}} options
 */
function openLayer({ mobile, ios, preset, language, key, local, guarded, container, nonce, onClose }) {
  const speech = language === "en" ? "en" : "ko";
  const words = key ? { ...WORDS[speech], ...WORDS_OF_KEY[speech] } : WORDS[speech];
  const kind = mobile ? "mobile" : "pc";
  const modal = !container;
  // Nothing of the page is above the browser's top layer, nor makes what is in it inert, small or see-through.
  const native = modal && "HTMLDialogElement" in window;

  const close = element("button", "imp-close", { type: "button", "aria-label": words.close });
  const header = element("div", "imp-header", {}, element("h2", "imp-title", {}, words.title), close);
  const sentence = element("p", "", { role: "status" }, words.loading);
  const spinner = element("div", "imp-spinner", { "aria-hidden": "true" });
  const again = element("button", "imp-again", { type: "button", hidden: "" });
  const status = element("div", "imp-status", {}, spinner, sentence, again);
  const body = element("div", "imp-body", {}, status);
  const popupLink = element("a", "imp-popup", { target: "imp-popup", rel: "opener" }, words.popup);
  const footer = element("div", "imp-footer", {}, element("span", "", {}, words.empty), popupLink);
  // Kept out of sight, not out of the layout, so that the layer never changes its size.
  footer.style.visibility = "hidden";
  const panel = element("div", "imp-panel", { tabindex: "-1" }, header, body, footer);
  const first = element("span", "imp-edge", modal ? { tabindex: "0" } : {});
  const last = element("span", "imp-edge", modal ? { tabindex: "0" } : {});
  const dialog = element(
    native ? "dialog" : "div",
    `imp-dialog customizable payment-kakaopay ${kind}${mobile && ios ? " ios" : ""}${modal ? "" : " imp-embedded"}`,
    { role: "dialog", "aria-label": words.title, lang: speech },
    first,
    panel,
    last,
  );

  /** @type {HTMLIFrameElement | null} */
  let frame = null;
  /** @type {Window | null} */
  let popup = null;
  /** @type {HTMLElement | null} */
  let question = null;
  let seen = false;
  let blocked = false;
  let watch = 0;

  /** Hidden from eyes, keyboard and screen readers while the question is asked. @param {boolean} asleep */
  function setAsleep(asleep) {
    for (const part of [header, body, footer]) part.toggleAttribute("inert", asleep);
  }

  function answerKeep() {
    question?.remove();
    question = null;
    setAsleep(false);
    close.focus();
  }

  function askToClose() {
    if (question || close.disabled) return;
    const keep = element("button", "imp-keep", { type: "button" }, words.keep);
    const cancel = element("button", "imp-cancel", { type: "button" }, words.cancel);
    const card = element("div", "imp-card", {}, element("p", "", {}, words.ask), element("div", "", {}, cancel, keep));
    question = element("div", "imp-ask", { role: "alertdialog", "aria-modal": "true", "aria-label": words.ask }, card);
    keep.onclick = answerKeep;
    cancel.onclick = onClose;
    setAsleep(true);
    panel.append(question);
    keep.focus();
  }

  function dropFrame() {
    frame?.remove();
    frame = null;
  }

  /**
   * Cover what is below with a sentence, and what the buyer can do.
   * @param {string} text
   * @param {string} [button] To open the window apart; without one they can only wait.
   */
  function say(text, button) {
    // Said again, it would be read aloud again.
    if (sentence.textContent !== text) sentence.textContent = text;
    spinner.hidden = Boolean(button);
    if (button) again.textContent = button;
    again.hidden = !button;
    status.hidden = false;
  }

  /** The shop's own policy keeps the frame empty, and the browser says so. @param {SecurityPolicyViolationEvent} event */
  function onViolation(event) {
    if (!frame?.src.startsWith(event.blockedURI) || event.disposition !== "enforce") return;
    blocked = true;
    say(words.blocked, words.popup);
  }

  /** @param {boolean} backwards */
  function wrapFocus(backwards) {
    /** @type {HTMLElement[]} */
    const stops = Array.from(panel.querySelectorAll("button:not(:disabled),a[href],iframe"));
    const open = stops.filter((stop) => !stop.closest("[inert],[hidden]"));
    (open[backwards ? open.length - 1 : 0] || panel).focus();
  }

  /** @param {Event} event */
  function onEscape(event) {
    event.preventDefault();
    if (question) answerKeep();
    else askToClose();
  }

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    if (event.key === "Escape") onEscape(event);
  }

  /** @param {FocusEvent} event */
  function onFocus(event) {
    if (event.target instanceof Node && !dialog.contains(event.target)) wrapFocus(false);
  }

  function onBrowserClose() {
    // A phone's "back", twice: the browser closes a dialog that did not listen the first time.
    if (!dialog.isConnected) return;
    raise();
    askToClose();
  }

  function raise() {
    if (native) /** @type {HTMLDialogElement} */ (dialog).showModal();
  }

  close.onclick = askToClose;
  first.onfocus = () => wrapFocus(true);
  last.onfocus = () => wrapFocus(false);
  /** Go on in a window of its own, if the browser lets us open one. */
  function openApart() {
    popup = window.open(popupLink.href, popupLink.target, "popup,width=426,height=620");
    return popup !== null;
  }

  function waitForPopup() {
    // One window at a time: KakaoPay's page must not wait in two places.
    dropFrame();
    footer.style.visibility = "hidden";
    say(words.elsewhere, words.again);
    clearInterval(watch);
    watch = setInterval(() => {
      // A page that is shielded from others (COOP) sees every window as closed at once, so this is no more than a hint.
      if (popup?.closed && !again.hidden) say(words.gone, words.again);
    }, POPUP_LOOK_MS);
  }

  popupLink.onclick = (event) => {
    // A refused popup leaves the click to the browser, which opens the link in a tab.
    if (openApart()) event.preventDefault();
    waitForPopup();
  };
  again.onclick = () => popupLink.click();

  addStyle(nonce);
  const before = document.activeElement;
  (container || document.body).append(dialog);
  if (modal) {
    raise();
    dialog.setAttribute("aria-modal", "true");
    dialog.addEventListener("cancel", onEscape);
    dialog.addEventListener("close", onBrowserClose);
    document.documentElement.classList.add("imp-locked");
    document.addEventListener("keydown", onKey, true);
    document.addEventListener("focusin", onFocus);
  }
  if (mobile) document.body.classList.add("imp-payment-progress");
  panel.focus();

  // A page that redraws itself takes the layer along; that is a way of closing it.
  const watcher = new MutationObserver(() => dialog.isConnected || onClose());
  watcher.observe(container || document.body, { childList: true });
  let removed = false;

  return {
    isInPage: () => dialog.isConnected,

    /** @param {unknown} source */
    owns: (source) => Boolean(source) && (source === frame?.contentWindow || source === popup),

    /** The gateway's page in the frame says that it is shown. */
    seen() {
      seen = true;
      if (frame) status.hidden = true;
    },

    /** @param {string} url @param {boolean} separate In a window of its own, unless the browser refuses to open one. */
    show(url, separate) {
      popupLink.href = url;
      footer.style.visibility = "";
      const names = `imp-frame imp-frame-${kind} imp-frame-kakaopay${preset ? " imp-frame-default" : ""}`;
      const shown = element("iframe", names, { title: words.title });
      // A page that is isolated from all others (COEP) may only frame strangers without their cookies.
      const isolated = window.crossOriginIsolated && !("credentialless" in shown);
      if ((separate || isolated) && openApart()) return waitForPopup();
      shown.toggleAttribute("credentialless", Boolean(window.crossOriginIsolated));
      // KakaoPay's page is of the internet and comes back to a gateway that is not: browsers ask the buyer, if they may.
      if (local) shown.allow = "local-network-access *; loopback-network *; local-network *";
      // The first page only: what loads later must not wipe away that the outcome is on its way.
      const onLoad = () => {
        // A page that keeps messages to itself hides from us that the frame is well, so nothing may cover it for that.
        if (!blocked) status.hidden = true;
        if (guarded) setTimeout(() => seen || frame !== shown || say(words.local, words.popup), SHOWN_WAIT_MS);
      };
      shown.addEventListener("load", onLoad, { once: true });
      document.addEventListener("securitypolicyviolation", onViolation);
      shown.src = url;
      frame = shown;
      body.prepend(shown);
    },

    /** The outcome is on its way. @param {boolean} final With nothing left to close. */
    work(final) {
      footer.style.visibility = "hidden";
      popupLink.removeAttribute("href");
      say(words.working);
      if (!final) return;
      answerKeep();
      close.disabled = true;
      dropFrame();
      popup?.close();
      panel.focus();
    },

    remove() {
      if (removed) return;
      removed = true;
      clearInterval(watch);
      watcher.disconnect();
      document.removeEventListener("keydown", onKey, true);
      document.removeEventListener("focusin", onFocus);
      document.removeEventListener("securitypolicyviolation", onViolation);
      document.documentElement.classList.remove("imp-locked");
      document.body?.classList.remove("imp-payment-progress");
      popup?.close();
      dialog.remove();
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
    },
  };
}

// ---- `window.IMP` ----

/**
 * No method depends on `this`: pages write `const { request_pay } = IMP`.
 * @param {{gateway: () => string, nonce: () => string}} place Where this script came from.
 */
function createIamport(place) {
  /** @type {Seller | null} */
  let seller = null;
  /** @type {Call | null} */
  let current = null;
  /** What this very task of the page has asked for already. @type {string | null} */
  let asked = null;

  /**
   * @param {unknown} userCode
   * @param {unknown} tierCode
   * @param {InitOptions} [options]
   */
  function setSeller(userCode, tierCode, options) {
    const container = options?.pgIframeContainer;
    if (container && !(container instanceof HTMLElement)) console.error(BAD_CONTAINER);
    // Pages pass numbers, arrays, a CID: whatever it is, the gateway says later whether it knows it.
    const code = isBlank(userCode) ? "" : String(userCode).trim();
    const tier = isBlank(tierCode) ? null : String(tierCode);
    seller = code ? { code, tier, container: container instanceof HTMLElement ? container : null } : null;
  }

  // The life of one call: requestPay → open → (watch ⇄ look) → end. Every way out passes `end`, which works once.

  /**
   * @param {PayParams} given
   * @param {Callback} [callback]
   */
  function requestPay(given, callback) {
    if (!given || typeof given !== "object") {
      alert(NO_PARAMS);
      return false;
    }
    const reply = typeof callback === "function" ? callback : null;
    // A script in the page's head may run before there is a body to put the layer into.
    if (!document.body) {
      document.addEventListener("DOMContentLoaded", () => requestPay(given, callback), { once: true });
      return undefined;
    }
    try {
      if (!isSame(given)) begin(given, reply);
    } catch (error) {
      const to = { callback: reply, device: readDevice(), gateway: place.gateway, redirect: given.m_redirect_url };
      const merchantUid = isBlank(given.merchant_uid) ? "" : String(given.merchant_uid);
      if (error instanceof Refused) {
        deliver(to, failure(merchantUid, error.code));
      } else {
        report(error);
        if (reply) deliver(to, failure(merchantUid, "SDK_ERROR"));
      }
    }
    return undefined;
  }

  /**
   * One click that two handlers of a page heard is one payment: the first call's callback gets its end.
   * @param {PayParams} given
   */
  function isSame(given) {
    const said = JSON.stringify(given);
    if (current && said === asked) return true;
    asked = said;
    setTimeout(() => (asked = null), 0);
    return false;
  }

  /** @param {unknown} error */
  function report(error) {
    alert(`${SENTENCE.SDK_ERROR}\n${error instanceof Error ? error.message : error}`);
  }

  /**
   * @param {PayParams} given
   * @param {Callback | null} callback
   */
  function begin(given, callback) {
    if (!seller) {
      alert(SENTENCE.NOT_INITIALIZED);
      // Told once is enough: without a callback the alert was all there is.
      if (callback) throw new Refused("NOT_INITIALIZED");
      return;
    }
    // The open window may be taking money at this moment, so the newer call gives way, never the older. A layer that
    // the page has torn out is no window any more.
    if (current?.layer.isInPage()) throw new Refused("ALREADY_OPEN");
    if (current) close(current);

    const params = toParams(given);
    const device = readDevice();
    const redirects = device.mobile && !/^true$/.test(String(given.kakaopayMobileAsPC));
    const gateway = place.gateway();
    const body = {
      user_code: seller.code,
      tier_code: seller.tier,
      nonce: newNonce(),
      device: device.mobile ? "mobile" : "pc",
      ios: device.ios,
      presentation: redirects ? "redirect" : "frame",
      has_callback: Boolean(callback),
      page: { origin: window.origin, url: location.href.slice(0, PAGE_URL_LENGTH_MAX) },
      params,
    };
    JSON.stringify(body); // What cannot be sent (a DOM node, a cycle) is reported before anything is shown.
    /** @type {Call} */
    const call = {
      params,
      callback,
      device,
      gateway,
      nonce: body.nonce,
      layer: openLayer({
        mobile: redirects,
        ios: device.ios,
        preset: isBlank(given.pg) && isBlank(given.channelKey),
        language: given.language,
        key: params.amount === 0,
        local: isLocal(gateway),
        guarded: isGuarded(gateway),
        container: redirects ? null : seller.container,
        nonce: place.nonce(),
        onClose: () => close(call),
      }),
      origins: [new URL(gateway).origin],
      impUid: "",
      token: "",
      deadline: Infinity,
      wait: POLL_FIRST_MS,
      timer: 0,
      asking: false,
      closing: false,
      over: false,
    };
    current = call;
    open(call, body).catch((error) => {
      report(error);
      end(call, callback ? failure(params.merchant_uid, "SDK_ERROR") : null);
    });
  }

  /**
   * @param {Call} call
   * @param {object} body
   */
  async function open(call, body) {
    const refused = failure(call.params.merchant_uid, "NETWORK_ERROR");
    let opened;
    try {
      opened = await ask(`${call.gateway}/sdk/payments`, body);
    } catch {
      if (isGuarded(call.gateway)) console.error(LOCAL_HINT);
      return end(call, refused);
    }
    if (!opened.imp_uid || !opened.next) {
      // A refusal. Whatever it leaves out, a failed result has all of `success`, `error_code` and `error_msg`.
      const { merchant_uid } = refused;
      return end(call, { ...refused, ...opened, success: false, imp_success: false, merchant_uid });
    }
    call.impUid = opened.imp_uid;
    call.token = opened.token;
    call.deadline = Date.now() + opened.expires_in * 1000 + DEADLINE_GRACE_MS;
    // The gateway's public address may differ from the host this script was loaded from.
    call.origins.push(new URL(opened.next.url).origin);
    if (call.closing) return sendClose(call);
    if (opened.next.kind === "redirect") return leave(call, opened.next.url);
    watch(call);
    return call.layer.show(opened.next.url, opened.next.kind === "popup");
  }

  /**
   * On a phone the whole page goes: frames cannot open KakaoTalk everywhere, and apps wait for a navigation.
   * The callback does not run; the result comes back to `m_redirect_url`.
   * @param {Call} call
   * @param {string} url
   */
  function leave(call, url) {
    // Until the page has gone, or an app has swallowed the navigation. Also keeps a page that "back" restores clean.
    const stay = () => end(call, null);
    window.addEventListener("pagehide", stay, { once: true });
    call.timer = setTimeout(stay, NAVIGATION_MAX_MS);
    location.assign(url);
  }

  // While a window is open, one listener of each kind serves whatever call is current.

  /** @param {MessageEvent} event */
  function onMessage(event) {
    const { data, origin, source } = event;
    if (!current || !current.layer.owns(source) || !current.origins.includes(origin)) return;
    if (!data || data.from !== MESSAGE_FROM) return;
    if (data.type === MESSAGE_SHOWN) current.layer.seen();
    if (data.type !== MESSAGE_RESULT) return;
    if (data.nonce !== current.nonce || data.imp_uid !== current.impUid || !data.result) return;
    end(current, data.result);
  }

  function onVisible() {
    // The buyer comes back from another window or from KakaoTalk: the result may be there already.
    if (current && !document.hidden) look(current);
  }

  function onPageHide() {
    if (!current) return;
    const body = JSON.stringify({ token: current.token, reason: "left" });
    navigator.sendBeacon(`${current.gateway}/sdk/payments/${current.impUid}/close`, body);
  }

  /** @param {Call} call */
  function watch(call) {
    window.addEventListener("message", onMessage);
    window.addEventListener("pagehide", onPageHide);
    document.addEventListener("visibilitychange", onVisible);
    call.timer = setTimeout(look, call.wait, call);
  }

  /**
   * Ask for the state: it covers a message that was blocked or lost, and the window that is already gone.
   * @param {Call} call
   */
  async function look(call) {
    if (call.over || call.asking) return;
    clearTimeout(call.timer);
    call.asking = true;
    const url = `${call.gateway}/sdk/payments/${call.impUid}`;
    // No answer is no news; the next look or the message may bring some.
    const seen = await ask(url, null, call.token).catch(() => null);
    call.asking = false;
    if (call.over) return;
    if (seen?.state === STATE.DONE && seen.result) return end(call, seen.result);
    if (Date.now() > call.deadline) return end(call, unknown(call));
    if (seen?.state === STATE.WORKING) {
      call.layer.work(false);
      call.wait = POLL_FIRST_MS;
    }
    call.timer = setTimeout(look, call.wait, call);
    call.wait = Math.min(call.wait * POLL_GROWTH, POLL_MAX_MS);
  }

  /**
   * Whoever has paid must not be told that they have not.
   * @param {Call} call
   * @returns {PayResult}
   */
  function unknown(call) {
    return { ...failure(call.params.merchant_uid, "UNKNOWN"), imp_uid: call.impUid, status: "ready" };
  }

  /**
   * The buyer wants out. The frame goes first, so that nothing can be approved behind the question's back; then the
   * gateway says what became of the payment, which may well be a success.
   * @param {Call} call
   */
  function close(call) {
    if (call.over || call.closing) return;
    call.closing = true;
    if (call.layer.isInPage()) call.layer.work(true);
    else call.layer.remove();
    // Before the window is open there is nothing to close yet; `open` comes back here when there is.
    if (call.impUid) sendClose(call);
  }

  /** @param {Call} call */
  async function sendClose(call) {
    const url = `${call.gateway}/sdk/payments/${call.impUid}/close`;
    for (const wait of CLOSE_RETRIES_MS) {
      await pause(wait);
      if (call.over) return;
      const seen = await ask(url, { token: call.token, reason: "closed" }).catch(() => null);
      if (seen?.state === STATE.DONE && seen.result) return end(call, seen.result);
      if (seen?.state) return look(call);
    }
    end(call, unknown(call));
  }

  /**
   * @param {Call} call
   * @param {PayResult | null} result Null when there is nothing to tell, or nobody.
   */
  function end(call, result) {
    if (call.over) return;
    call.over = true;
    clearTimeout(call.timer);
    call.layer.remove();
    if (current === call) {
      current = null;
      window.removeEventListener("message", onMessage);
      window.removeEventListener("pagehide", onPageHide);
      document.removeEventListener("visibilitychange", onVisible);
    }
    const { callback, device, gateway, params } = call;
    if (result) deliver({ callback, device, gateway: () => gateway, redirect: params.m_redirect_url }, result);
  }

  // What other PGs can do and KakaoPay cannot.

  /**
   * @param {PayParams} param
   * @param {Callback} [callback]
   */
  function certification(param, callback) {
    const merchantUid = isBlank(param?.merchant_uid) ? "" : String(param.merchant_uid);
    const to = { device: readDevice(), gateway: place.gateway, redirect: param?.m_redirect_url };
    const reply = typeof callback === "function" ? callback : null;
    deliver({ ...to, callback: reply, extra: { success: false } }, failure(merchantUid, "F1001"));
  }

  const UI_TYPES = ["paypal-spb", "paypal-rt", "toss-brandpay-widget", "payment-bridge"];

  /**
   * @param {string} type
   * @param {PayParams} param
   * @param {(result: {merchant_uid: unknown, error_code: string, error_msg: string}) => void} [callback]
   */
  function loadUI(type, param, callback) {
    const pg = isBlank(param?.pg) ? (param?.channelKey ? "kakaopay" : "") : String(param.pg).split(".")[0];
    let error_msg = `해당 PG사(${pg})는 UI 로딩을 지원하지 않습니다.`;
    if (!UI_TYPES.includes(type)) error_msg = `지원하지 않는 UI 타입(${type})입니다.`;
    if (!type) error_msg = "UI 타입은 필수 입력입니다.";
    if (!pg) error_msg = "pg 파라미터는 필수 입력입니다.";
    const result = { merchant_uid: param?.merchant_uid, error_code: "F500", error_msg };
    if (typeof callback === "function") setTimeout(callback, 0, result);
    else console.error(error_msg);
  }

  /** @param {string} type */
  function loadModule(type) {
    const error = new Error(`지원하지 않는 모듈 타입(${type}) 입니다.`);
    return Promise.reject(Object.assign(error, { code: "BadRequest", __portOneErrorType: "ModuleError" }));
  }

  /** @param {string} name */
  function absent(name) {
    let warned = false;
    return () => {
      if (!warned) console.warn(`IMP.${name}: KakaoPay has no such function; nothing was done.`);
      warned = true;
    };
  }

  return {
    /** @type {(userCode: string, options?: InitOptions) => void} */
    init: (userCode, options) => setSeller(userCode, null, options),
    /** @type {(userCode: string, tierCode: string, options?: InitOptions) => void} */
    agency: (userCode, tierCode, options) => setSeller(userCode, tierCode, options),
    request_pay: requestPay,
    certification,
    loadUI,
    loadModule,
    updateLoadUIRequest: absent("updateLoadUIRequest"),
    communicate: absent("communicate"),
    naver_zzim: absent("naver_zzim"),
    payport: absent("payport"),
    /** The page's own way to end a payment: as if the buyer had closed the layer and confirmed it. */
    close() {
      if (current) close(current);
    },
    /** Undo `init`: an open payment is closed, and nothing of the SDK stays in the page. */
    deinit() {
      current?.layer.remove();
      if (current) close(current);
      removeStyle();
      seller = null;
    },
  };
}
