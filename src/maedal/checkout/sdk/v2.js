// @ts-check
(function () {
"use strict";

/* portone.js */

const page = /** @type {{PortOne?: unknown}} */ (/** @type {unknown} */ (window));
page.PortOne = page.PortOne || PortOne;
})();
