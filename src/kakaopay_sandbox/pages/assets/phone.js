// @ts-check
// The phone: a PIN pad that fills the field, and the way home once the buyer is done.
// Every form works without this file.
"use strict";

const RETURN_MILLISECONDS = 1600;

const field = /** @type {HTMLInputElement | null} */ (document.querySelector("[data-pin]"));
const pad = /** @type {HTMLElement | null} */ (document.querySelector("[data-pad]"));
const dots = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-dot]"));

if (field && pad) {
  const form = /** @type {HTMLFormElement} */ (field.form);
  let sent = false;
  document.documentElement.classList.add("with-pad");
  pad.hidden = false;
  const typed = () => {
    field.value = field.value.replace(/\D/g, "").slice(0, 6);
    dots.forEach((dot, at) => dot.classList.toggle("filled", at < field.value.length));
    if (field.value.length === 6 && !sent) {
      sent = true;
      form.requestSubmit();
    }
  };
  field.addEventListener("input", typed);
  pad.addEventListener("click", (event) => {
    const button = /** @type {HTMLElement} */ (event.target).closest("button");
    if (!button || sent) return;
    field.value = button.dataset.key === "back" ? field.value.slice(0, -1) : field.value + (button.dataset.key ?? "");
    typed();
  });
  field.focus({ preventScroll: true });
}

const home = /** @type {HTMLAnchorElement | null} */ (document.querySelector("[data-home]"));
if (home) {
  const returning = setTimeout(() => location.replace(home.href), RETURN_MILLISECONDS);
  // Whoever taps is on the way already.
  home.addEventListener("click", () => clearTimeout(returning));
}

// A form is sent once: a second tap must not be a second act.
document.addEventListener("submit", (event) => {
  const button = /** @type {HTMLFormElement} */ (event.target).querySelector("button[type=submit]");
  if (button) setTimeout(() => button.setAttribute("disabled", ""), 0);
});
