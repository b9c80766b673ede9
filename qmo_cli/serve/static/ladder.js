// Stop, entry, targets and the price on one line, to scale: left is the stop, right the target.

import { make } from "./dom.js";
import { price as priceText } from "./format.js";

const place = (value, from, to) => Math.min(100, Math.max(0, (100 * (value - from)) / (to - from)));

function mark(name, value, tick, from, to) {
  const element = make("span", `rung ${name}`, null, [make("b", "", name), make("i", "", priceText(value, tick))]);
  element.style.left = `${place(value, from, to)}%`;
  return element;
}

export function showLadder(element, line, market, tick) {
  const { entry } = line;
  const price = market?.price ?? null;
  const key = [entry.stop, entry.limit_price ?? entry.price, entry.target, price, tick].join(" ");
  if (element.dataset.key === key) return;
  element.dataset.key = key;
  const rungs = [["stop", entry.stop], ["entry", entry.limit_price ?? entry.price], ["target", entry.target]];
  const marks = rungs.map(([name, value]) => mark(name, value, tick, entry.stop, entry.target));
  if (price !== null) {
    const needle = make("span", "needle");
    needle.style.left = `${place(price, entry.stop, entry.target)}%`;
    marks.push(needle);
  }
  element.replaceChildren(...marks);
}
