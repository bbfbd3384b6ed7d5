// @ts-check
// Says so when an answer of the gateway never came: what was asked may have been done, and asking again does it once.
"use strict";

/** @param {boolean} hidden */
function showLost(hidden) {
  const told = document.getElementById("lost");
  if (told) told.hidden = hidden;
}

for (const gone of ["htmx:sendError", "htmx:timeout", "htmx:sendAbort"]) {
  document.addEventListener(gone, () => showLost(false));
}
document.addEventListener("htmx:beforeRequest", () => showLost(true));

// What was said of the form before goes when the page goes on without being loaded anew; what is shown once stays.
document.addEventListener("htmx:beforeRequest", () => {
  for (const note of document.querySelectorAll(".note:not(.problem)")) if (!note.querySelector(".once")) note.remove();
});
