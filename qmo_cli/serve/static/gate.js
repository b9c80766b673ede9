// The form that asks for the token, where the server refused.

import { byId, setText } from "./dom.js";
import { hasToken, setToken } from "./store.js";

/** `retry` connects again. */
export function startGate(retry) {
  byId("gate-form").addEventListener("submit", (event) => {
    event.preventDefault();
    setToken(byId("gate-token").value.trim());
    byId("gate-token").value = "";
    retry();
  });
}

export function showGate(shown, detail) {
  if (byId("gate").hidden === !shown) return;
  byId("gate").hidden = !shown;
  byId("main").inert = shown;
  if (!shown) return;
  setText(byId("gate-why"), hasToken() ? `The token given is not the server's (${detail}).` : "No token was given with the address.");
  byId("gate-token").focus();
}
