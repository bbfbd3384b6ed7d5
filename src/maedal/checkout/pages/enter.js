// @ts-check
// Tells the page around the frame that it is shown: what keeps a frame empty (a policy, local-network rules) tells nobody.
// It is no secret, so it is told to whoever listens; a page without an origin could not be named.
(window.parent !== window ? window.parent : window.opener)?.postMessage({ from: "imp-gateway", type: "shown" }, "*");
