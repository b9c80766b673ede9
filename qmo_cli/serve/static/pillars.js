// The five pillars: their scores, weights and what they contribute; what is missing and why; how they make the total.

import { byId, fill, make, put, setAttribute, setText } from "./dom.js";
import { share, signed } from "./format.js";

const PILLARS = [
  ["qmo", "order flow, liquidity"], ["imo", "icebergs, absorption"], ["gann", "price levels"], ["astro", "time windows"],
  ["cycle", "bar counts"],
];
const percent = (value) => (value === null || value === undefined ? "–" : `${Math.round(100 * value)} %`);
const side = (value) => (value > 0.5 ? "buy" : value < 0.5 ? "sell" : "");
const sign = (value) => (value > 0.5 ? "▲" : value < 0.5 ? "▼" : "■");

/** A bar from the middle: right is buy, left is sell. */
function bar(score, className) {
  const inner = make("i", side(score));
  inner.style.left = `${100 * Math.min(score, 0.5)}%`;
  inner.style.width = `${100 * Math.abs(score - 0.5)}%`;
  const outer = make("span", `bar ${className}`, null, [inner]);
  outer.setAttribute("aria-hidden", "true");
  return outer;
}

function row([name, about, score, weight, contribution, reason]) {
  const title = make("span", "name", name.toUpperCase(), [make("small", "", about)]);
  const portion = make("span", "weight", percent(weight));
  portion.title = "weight";
  if (score === null) {
    return make("li", "missing", null, [title, portion, make("span", "gap", `– not known: ${reason}`)]);
  }
  const value = make("span", `number ${side(score)}`, `${sign(score)} ${share(score)}`);
  const part = make("span", "part", contribution === null ? "" : signed(contribution, 3));
  part.title = "what it adds to the base: weight × (score − 0.5); 0 while it is silent";
  return make("li", "", null, [title, portion, bar(score, contribution === 0 ? "silent" : ""), value, part]);
}

function total(score, why) {
  const known = score?.total ?? null;
  const value = make("b", `number ${known === null ? "" : side(known)}`);
  put(value, known === null ? null : `${sign(known)} ${share(known)}`, why("score.total"));
  const cuts = [0.25, 0.75].map((cut) => {
    const line = make("i", "cut");
    line.style.left = `${100 * cut}%`;
    return line;
  });
  const gauge = known === null ? make("span", "bar none") : bar(known, "sum");
  gauge.append(...cuts);
  return [make("span", "name", "TOTAL", [make("small", "", "sell < 0.25 · 0.75 < buy")]), gauge, value];
}

function notes(score) {
  if (score === null) return "";
  const boosts = Object.entries(score.boosts ?? {}).filter(([, value]) => value !== 0 && value !== null);
  return [
    `base ${share(score.base) ?? "–"}`,
    ...boosts.map(([name, value]) => `${name.replaceAll("_", " ")} ${signed(value, 2)}`),
    `known ${percent(score.coverage)} of weight, speaking ${percent(score.active_weight)}`,
    ...(score.reasons ?? []),
  ].join(" · ");
}

export function showPillars(frame, why) {
  const { score } = frame;
  const of = (map, name) => score?.[map]?.[name] ?? null;
  const rows = PILLARS.map(([name, about]) => [
    name, about, score?.[name] ?? null, of("weights", name), of("contributions", name),
    score?.missing?.[name] ?? why(`score.${name}`),
  ]);
  fill(byId("pillars"), rows, row);
  const box = byId("total");
  const key = JSON.stringify([score?.total ?? why("score.total")]);
  if (box.dataset.key !== key) {
    box.dataset.key = key;
    box.replaceChildren(...total(score, why));
  }
  setText(byId("boosts"), notes(score));
  setText(byId("phase"), score === null ? "" : `weights: ${score.phase}`);
  setAttribute(box, "data-signal", score?.signal ?? null);
}
