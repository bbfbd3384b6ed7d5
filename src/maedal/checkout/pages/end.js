// @ts-check
// Tells the result to the page around the frame, or to the one that opened the popup. Only to the origin that opened the window.
(() => {
  const box = document.getElementById("result");
  const framed = window.parent !== window;
  const around = framed ? window.parent : window.opener;
  // A window of its own stays when the shop's page is shielded from it, or gone: then its reader closes it.
  document.getElementById("apart")?.toggleAttribute("hidden", framed);
  around?.postMessage({ from: "imp-gateway", type: "shown" }, "*");
  if (!box || !around) return;
  around.postMessage(JSON.parse(box.dataset.content ?? "null"), box.dataset.origin ?? location.origin);
})();
