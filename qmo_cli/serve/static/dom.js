// Writing to the page. Only textContent and attributes: what comes from the market is never markup.

export const byId = (id) => document.getElementById(id);

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function setAttribute(element, name, value) {
  if (value === null || value === undefined) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** An element of this class and text; children are elements. */
export function make(tag, className = "", text = null, children = []) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== null) element.textContent = text;
  element.append(...children);
  return element;
}

/** A value, or a dash that says why there is none: to the pointer as a title, to a screen reader as text. */
export function put(element, text, reason = null) {
  const key = text === null || text === undefined ? `?${reason}` : `=${text}`;
  if (element.dataset.shown === key) return;
  element.dataset.shown = key;
  element.classList.toggle("unknown", key[0] === "?");
  if (key[0] === "=") {
    element.textContent = text;
    element.removeAttribute("title");
    return;
  }
  element.title = `not known: ${reason}`;
  element.replaceChildren(make("span", "", "–"), make("span", "unseen", ` not known: ${reason}`));
}

/** The children anew, but only where what they show has changed. */
export function fill(parent, items, build) {
  const key = JSON.stringify(items);
  if (parent.dataset.items === key) return;
  parent.dataset.items = key;
  parent.replaceChildren(...items.map(build));
}

/** A list of terms with their values: made once, then only the values are touched. Row: [term, text, reason, class]. */
export function facts(list, rows) {
  const terms = rows.map(([term]) => term).join("\n");
  if (list.dataset.terms !== terms) {
    list.dataset.terms = terms;
    list.replaceChildren(...rows.map(([term]) => make("div", "", null, [make("dt", "", term), make("dd")])));
  }
  rows.forEach(([, text, reason, className], index) => {
    const value = list.children[index].lastElementChild;
    put(value, text, reason);
    value.classList.toggle("buy", className === "buy" && text !== null);
    value.classList.toggle("sell", className === "sell" && text !== null);
  });
}
