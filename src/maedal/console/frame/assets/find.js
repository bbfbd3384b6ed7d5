// @ts-check
/* The search above each page by keyboard: "/" goes to it, arrows move among what was found, "?" shows the keys. Without this script the form is sent like any other, and the keys stand on a page. */
"use strict";
{
  const finder = document.getElementById("finder");
  const field = document.getElementById("find");
  const found = document.getElementById("found-now");
  const keys = document.getElementById("key-list");
  const switched = document.querySelector(".modeswitch[data-here]");

  /** @returns {HTMLElement[]} */
  const links = () => [...(found?.querySelectorAll("a[href]") ?? [])].filter((one) => one instanceof HTMLElement);
  const close = () => found?.replaceChildren();
  const showKeys = () => keys instanceof HTMLDialogElement && keys.showModal();
  /** @param {EventTarget | null} target */
  const typesInto = (target) =>
    target instanceof HTMLElement &&
    (target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName) || target.closest("dialog"));

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typesInto(event.target)) return;
    // Letter keys may be switched off: whoever dictates would press them by accident.
    if (finder && !("shortcuts" in finder.dataset)) return;
    if (event.key === "/" && field instanceof HTMLInputElement) {
      event.preventDefault();
      field.focus();
      field.select();
    } else if (event.key === "?") {
      event.preventDefault();
      showKeys();
    }
  });
  document.getElementById("keyhelp")?.addEventListener("click", (event) => {
    event.preventDefault();
    showKeys();
  });
  finder?.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const all = links();
    const at = all.findIndex((one) => one === document.activeElement);
    if (event.key === "ArrowDown" && all.length) {
      event.preventDefault();
      all[Math.min(at + 1, all.length - 1)]?.focus();
    } else if (event.key === "ArrowUp" && at >= 0) {
      event.preventDefault();
      (at === 0 ? field : all[at - 1])?.focus();
    } else if (event.key === "Escape") {
      event.preventDefault();
      close();
      field?.focus();
    }
  });
  // What was found is in nobody's way who is elsewhere.
  for (const kind of ["focusin", "click"]) {
    document.addEventListener(kind, (event) => {
      if (event.target instanceof Node && !finder?.contains(event.target)) close();
    });
  }
  // A list that was filtered in the page has another address by now.
  switched?.addEventListener("submit", () => {
    const back = switched.querySelector("[name=back]");
    const asked = new URLSearchParams(location.search);
    for (const place of ["page", "after", "before"]) asked.delete(place);
    if (back instanceof HTMLInputElement) back.value = location.pathname + (`${asked}` && `?${asked}`);
  });
}
