// @ts-check
// The page of faults: forms without leaving the place, and what is armed kept up to date.
// Every form works without this file.
"use strict";

const LOOK_MILLISECONDS = 2000;
const NOTICE_MILLISECONDS = 8000;
const PARTS = ["notice", "now", "refunds"];

const now = /** @type {HTMLElement} */ (document.querySelector("[data-now]"));
const heard = /** @type {HTMLElement} */ (document.querySelector("[data-heard]"));
const newest = () => now.querySelector("[data-newest]")?.getAttribute("data-newest") ?? "";

/**
 * Put new content into a part; whoever stood on something in it stands on the same afterwards.
 * @param {Element} part @param {string} content
 */
function put(part, content) {
  if (part.innerHTML === content) return;
  const id = part.contains(document.activeElement) ? document.activeElement?.id : "";
  part.innerHTML = content;
  if (id === "") return;
  const again = id ? document.getElementById(id) : null;
  const title = /** @type {HTMLElement | null} */ (part.querySelector("h2"));
  if (!again && title) title.tabIndex = -1;
  (again ?? title)?.focus({ preventScroll: true });
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let fading;

/** Say what came of a form, anew even if it is the same as before. @param {Element} part @param {string} content */
function say(part, content) {
  clearTimeout(fading);
  part.replaceChildren();
  requestAnimationFrame(() => {
    part.innerHTML = content;
  });
  if (!content.includes("problem")) fading = setTimeout(() => part.replaceChildren(), NOTICE_MILLISECONDS);
}

let sending = false;
document.addEventListener("submit", async (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (!form.matches("[data-keep]")) return;
  event.preventDefault();
  if (sending) return;
  sending = true;
  const body = new URLSearchParams();
  for (const [name, value] of new FormData(form, event.submitter)) body.append(name, String(value));
  try {
    const reply = await fetch(form.action, { method: "POST", body });
    const page = new DOMParser().parseFromString(await reply.text(), "text/html");
    for (const id of PARTS) {
      const [mine, theirs] = [document.getElementById(id), page.getElementById(id)];
      if (mine && theirs) (id === "notice" ? say : put)(mine, theirs.innerHTML);
    }
  } catch {
    // The simulator is away: the browser's own way says so.
    form.removeAttribute("data-keep");
    form.requestSubmit(event.submitter);
  } finally {
    sending = false;
  }
});

async function look() {
  const before = newest();
  try {
    if (!document.hidden && !sending) {
      const reply = await fetch(/** @type {string} */ (now.dataset.now), { cache: "no-store" });
      const content = await reply.text();
      const fresh = document.createElement("template");
      fresh.innerHTML = content;
      if (reply.ok && !sending && fresh.innerHTML.trim() !== now.innerHTML.trim()) put(now, content);
      if (newest() !== before) heard.textContent = `${heard.dataset.text}. ${new Date().toLocaleTimeString()}`;
    }
  } catch {
    // It may be restarting; the next look will tell.
  }
  setTimeout(look, LOOK_MILLISECONDS);
}
setTimeout(look, LOOK_MILLISECONDS);
