// @ts-check
/* Asks the browser for a passkey, and sends its answer in the form that asked. Without this script there is no button for it.
   A form says what it wants by `data-passkey`: `add` a new one, or `use` one in the place of a code; and by `data-options` where
   the question comes from. */
"use strict";
{
  /** @param {string} text of base64url */
  const bytes = (text) => {
    const plain = text.replace(/-/g, "+").replace(/_/g, "/");
    return Uint8Array.from(atob(plain), (c) => c.charCodeAt(0));
  };
  /** @param {ArrayBuffer} buffer */
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

  /** The question as the browser takes it: what JSON has as text is bytes there.
   * @param {any} options */
  const question = (options) => ({
    ...options,
    challenge: bytes(options.challenge),
    ...(options.user ? { user: { ...options.user, id: bytes(options.user.id) } } : {}),
    ...Object.fromEntries(
      ["allowCredentials", "excludeCredentials"]
        .filter((list) => options[list])
        .map((list) => [list, options[list].map((/** @type {any} */ one) => ({ ...one, id: bytes(one.id) }))]),
    ),
  });

  /** The answer as JSON, as browsers' own `toJSON` gives it; not all of them have that.
   * @param {any} credential */
  const answer = (credential) => {
    const { response } = credential;
    const kept = response.attestationObject
      ? { attestationObject: text(response.attestationObject), transports: response.getTransports?.() ?? [] }
      : { authenticatorData: text(response.authenticatorData), signature: text(response.signature) };
    return JSON.stringify({
      id: credential.id,
      rawId: text(credential.rawId),
      type: credential.type,
      response: { clientDataJSON: text(response.clientDataJSON), ...kept },
      clientExtensionResults: {},
    });
  };

  /** Says what went wrong, and lets it be tried again.
   * @param {HTMLFormElement} form
   * @param {string} problem */
  const tell = (form, problem) => {
    const place = form.querySelector("[data-passkey-problem]");
    if (!(place instanceof HTMLElement)) return;
    place.textContent = problem;
    place.hidden = !problem;
  };

  /** @param {HTMLFormElement} form */
  const ask = async (form) => {
    const adds = form.dataset.passkey === "add";
    tell(form, "");
    let told;
    try {
      const sent = new URLSearchParams();
      for (const [name, value] of new FormData(form)) if (typeof value === "string") sent.append(name, value);
      const reply = await fetch(form.dataset.options ?? "", { method: "POST", body: sent, redirect: "error" });
      told = await reply.json();
    } catch {
      return tell(form, form.dataset.lost ?? "");
    }
    if (!told.options) return tell(form, told.problem ?? form.dataset.lost ?? "");
    try {
      const publicKey = question(told.options);
      const credential = await (adds ? navigator.credentials.create({ publicKey }) : navigator.credentials.get({ publicKey }));
      const field = form.elements.namedItem("passkey");
      if (field instanceof HTMLInputElement) field.value = answer(credential);
    } catch (error) {
      const known = error instanceof DOMException && error.name === "InvalidStateError";
      return tell(form, (known ? form.dataset.known : form.dataset.cancelled) ?? "");
    }
    form.submit();
  };

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    const button = form.querySelector("button[data-passkey-go]");
    if (!(form instanceof HTMLFormElement) || !(button instanceof HTMLButtonElement)) continue;
    if (!window.PublicKeyCredential) {
      tell(form, form.dataset.unknown ?? "");
      continue;
    }
    for (const shown of form.querySelectorAll("[data-passkey-shown]")) shown.removeAttribute("hidden");
    const begin = async () => {
      if (button.disabled) return;
      // The code is what the passkey stands for; everything else is filled in as ever.
      for (const field of form.elements) {
        if (field instanceof HTMLInputElement && field.name !== "code" && !field.reportValidity()) return;
      }
      button.disabled = true;
      await ask(form);
      button.disabled = false;
    };
    button.addEventListener("click", begin);
    if (form.dataset.passkey === "add") {
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        begin();
      });
    }
  }
}
