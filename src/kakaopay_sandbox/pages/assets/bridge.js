// @ts-check
// The waiting page: asks every second how far the buyer is, counts down, and leaves by itself.
"use strict";

const POLL_MILLISECONDS = 1000;

const main = /** @type {HTMLElement} */ (document.querySelector("[data-state-url]"));
const clock = document.querySelector("[data-countdown]");
const step = document.querySelector("[data-step]");

/** @param {number} seconds */
function countdown(seconds) {
  return `${String(Math.floor(seconds / 60)).padStart(2, "0")}:${String(seconds % 60).padStart(2, "0")}`;
}

// Once the buyer has pressed a button, that leads on; the answer to a poll must not start a second journey.
let leaving = false;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let next;

async function ask() {
  try {
    const reply = await fetch(/** @type {string} */ (main.dataset.stateUrl), { cache: "no-store" });
    const state = await reply.json();
    if (leaving) return;
    if (state.next_url) {
      location.replace(state.next_url);
      return;
    }
    if (clock && typeof state.seconds_left === "number") clock.textContent = countdown(state.seconds_left);
    const told = main.getAttribute(`data-text-${String(state.status).toLowerCase()}`);
    if (step && told !== null) step.textContent = told;
  } catch {
    // The simulator may be restarting; the next poll will tell.
  }
  if (!leaving) next = setTimeout(ask, POLL_MILLISECONDS);
}

addEventListener("submit", () => {
  leaving = true;
  clearTimeout(next);
});
// Back from where the button led, by the browser's history.
addEventListener("pageshow", (event) => {
  if (!event.persisted || !leaving) return;
  leaving = false;
  ask();
});

ask();
