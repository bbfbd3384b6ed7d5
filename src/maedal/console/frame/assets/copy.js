// @ts-check
/* Copies what a button names with `data-copy`, the id of an element. Without this script there is no button, and the text is there to be selected. */
"use strict";
{
  /** @param {HTMLElement} source */
  const copied = async (source) => {
    try {
      await navigator.clipboard.writeText(source.innerText.trim());
      return true;
    } catch {
      // Not a secure context, or not allowed: the old way works on selected text.
      getSelection()?.selectAllChildren(source);
      return document.execCommand("copy");
    }
  };
  const show = () => {
    for (const button of document.querySelectorAll("button[data-copy]")) button.removeAttribute("hidden");
  };
  document.addEventListener("click", async (event) => {
    const button = event.target instanceof Element ? event.target.closest("button[data-copy]") : null;
    const source = button && document.getElementById(button.getAttribute("data-copy") ?? "");
    if (!button || !source) return;
    const before = button.textContent;
    button.textContent = button.getAttribute((await copied(source)) ? "data-done" : "data-failed");
    setTimeout(() => { button.textContent = before; }, 2000);
  });
  document.addEventListener("htmx:afterSwap", show);
  show();
}
