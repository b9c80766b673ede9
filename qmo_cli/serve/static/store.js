// What a browser keeps: settings for good (localStorage), the token until the tab is closed (sessionStorage).
// Both may be forbidden; then nothing is kept, and all else works.

function guarded(action, otherwise) {
  try {
    return action() ?? otherwise;
  } catch {
    return otherwise;
  }
}

export const remembered = (key, otherwise) => guarded(() => localStorage.getItem(`qmo.${key}`), otherwise);
export const remember = (key, value) => guarded(() => localStorage.setItem(`qmo.${key}`, value));

let token = guarded(() => sessionStorage.getItem("qmo.token"), "");

/** The token out of the address (#token=...), which is then cleaned: it must not stay in the history or a bookmark. */
export function takeToken() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given === null) return;
  setToken(given);
  history.replaceState(null, "", location.pathname + location.search);
}

export function setToken(value) {
  token = value;
  guarded(() => sessionStorage.setItem("qmo.token", value));
}

export const hasToken = () => token !== "";
export const headers = () => (token === "" ? {} : { Authorization: `Bearer ${token}` });

/** What a WebSocket offers: a browser cannot set its headers, so the token goes as a subprotocol. */
export function protocols() {
  if (token === "") return ["qmo.v1"];
  const bytes = new TextEncoder().encode(token);
  const text = btoa(String.fromCharCode(...bytes));
  return ["qmo.v1", `qmo.token.${text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`];
}
