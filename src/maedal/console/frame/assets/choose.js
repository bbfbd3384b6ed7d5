// @ts-check
/* One box ticks all of a name on the page, and says how many are ticked. Without this script each is ticked by itself. */
"use strict";
{
  /** @param {string} name @returns {HTMLInputElement[]} */
  const boxes = (name) => [...document.querySelectorAll(`input[type=checkbox][name="${name}"]`)].filter((one) => one instanceof HTMLInputElement);
  const show = () => {
    for (const all of document.querySelectorAll("input[data-all]")) {
      if (!(all instanceof HTMLInputElement)) continue;
      const own = boxes(all.dataset.all ?? "");
      const ticked = own.filter((one) => one.checked).length;
      all.hidden = own.length === 0;
      all.checked = ticked > 0 && ticked === own.length;
      all.indeterminate = ticked > 0 && ticked < own.length;
    }
    for (const count of document.querySelectorAll("[data-count]")) {
      if (!(count instanceof HTMLElement)) continue;
      const ticked = boxes(count.dataset.count ?? "").filter((one) => one.checked).length;
      count.textContent = (ticked ? count.dataset.some : count.dataset.none)?.replace("{}", ticked.toLocaleString()) ?? "";
    }
  };
  document.addEventListener("change", (event) => {
    const all = event.target;
    if (all instanceof HTMLInputElement && all.dataset.all) for (const one of boxes(all.dataset.all)) one.checked = all.checked;
    show();
  });
  document.addEventListener("htmx:afterSwap", show);
  window.addEventListener("pageshow", show);
  show();
}
