// The search in the frame by keyboard: "/" goes to it, arrows move among what was found, "?" shows the keys.
// Without this script the form is sent like any other, and the keys stand on a page.
(() => {
  "use strict";
  const finder = document.getElementById("finder");
  const field = document.getElementById("find");
  const found = document.getElementById("found-now");
  const dialog = document.getElementById("keys");
  const links = () => [...found.querySelectorAll("a[href]")];

  const close = () => {
    found.replaceChildren();
  };
  const typing = (target) =>
    target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName) || target.closest("dialog");

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typing(event.target)) return;
    // Letter keys may be switched off: somebody who dictates would press them by accident.
    const on = !finder || "shortcuts" in finder.dataset;
    if (event.key === "/" && field && on) {
      event.preventDefault();
      field.focus();
      field.select();
    } else if (event.key === "?" && dialog && on) {
      event.preventDefault();
      dialog.showModal();
    }
  });
  document.getElementById("keyhelp")?.addEventListener("click", (event) => {
    if (!dialog?.showModal) return;
    event.preventDefault();
    dialog.showModal();
  });
  // A list that was filtered in the page has another address by now.
  document.querySelector(".modeswitch[data-here]")?.addEventListener("submit", (event) => {
    const asked = new URLSearchParams(location.search);
    for (const place of ["page", "after", "before"]) asked.delete(place);
    event.target.elements.back.value = location.pathname + (`${asked}` && `?${asked}`);
  });
  if (!finder) return;

  finder.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const all = links();
    const at = all.indexOf(document.activeElement);
    if (event.key === "ArrowDown" && all.length) {
      event.preventDefault();
      all[Math.min(at + 1, all.length - 1)].focus();
    } else if (event.key === "ArrowUp" && at >= 0) {
      event.preventDefault();
      (at === 0 ? field : all[at - 1]).focus();
    } else if (event.key === "Escape") {
      event.preventDefault();
      close();
      field.focus();
    }
  });
  // What was found is in the way of nothing once somebody is elsewhere.
  document.addEventListener("focusin", (event) => {
    if (!finder.contains(event.target)) close();
  });
  document.addEventListener("click", (event) => {
    if (!finder.contains(event.target)) close();
  });
  field.addEventListener("input", () => {
    if (field.value.trim().length < 2) close();
  });
})();
