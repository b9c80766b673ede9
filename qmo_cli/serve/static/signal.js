// The signal: which way, how sure, where in and out, how much, why, and what stands against it.

import { byId, facts, fill, make, put, setAttribute, setText } from "./dom.js";
import { count, dollars, msOfIso, price as priceText, share } from "./format.js";
import { showLadder } from "./ladder.js";
import { why } from "./why.js";
import * as zone from "./zone.js";

const signs = { BUY: "▲", SELL: "▼", HOLD: "■" };
const statuses = {
  active: "active", hold: "no trade", blocked: "blocked", closed: "market closed", halted: "halted", stale: "stale: no trade",
  warming_up: "warming up: not to be traded",
};
let spoken = null;

const TRADED = new Set(["real-time", "simulated", "replay"]); // qualities at which a signal may have a size

/** To be traded: the feed is there, its prices are not old, the status says so and there is a size. */
const live = ({ feed, signal }) => feed.state === "live" && TRADED.has(feed.quality)
  && signal?.status === "active" && (signal.position?.contracts ?? 0) > 0;

/** Say a changed signal once, to those who listen instead of looking. */
function speak(line) {
  const { type, confidence } = line.signal;
  const now = `${line.series} ${type} ${line.status}`;
  if (now === spoken) return;
  const first = spoken === null;
  spoken = now;
  const sure = confidence === null ? "" : `, confidence ${share(confidence)}`;
  if (!first) setText(byId("spoken"), `Signal: ${type}, ${statuses[line.status] ?? line.status}${sure}`);
}

function head(frame, reason) {
  const line = frame.signal;
  const type = line?.signal.type ?? null;
  const confidence = line?.signal.confidence ?? null;
  put(byId("type"), type === null ? null : `${signs[type]} ${type}`, reason);
  setAttribute(byId("signal"), "data-type", type);
  setAttribute(byId("signal"), "data-live", live(frame) ? "yes" : null);
  setText(byId("status"), line === null ? reason : (statuses[line.status] ?? line.status));
  put(byId("confidence"), share(confidence), line === null ? reason : why(line.missing, "signal.confidence"));
  byId("confidence-bar").style.width = `${100 * (confidence ?? 0)}%`;
}

function since(line) {
  const at = (iso) => zone.time(msOfIso(iso));
  const parts = line === null ? [] : [
    line.signal.since && `since ${at(line.signal.since)}`,
    line.valid_until && `valid until ${at(line.valid_until)}`,
    line.signal.price_only && "from prices alone",
    line.signal.probability !== null && `probability ${share(line.signal.probability)}`,
  ];
  setText(byId("since"), parts.filter(Boolean).join(" · "));
}

function size(position, reason) {
  if (position === null) return [null, reason];
  const contracts = `${count(position.contracts)}${position.contract === null ? "" : ` × ${position.contract}`}`;
  return [position.contracts === 0 ? "0: nothing to trade" : contracts, reason];
}

function plan(line, tick) {
  const { entry, position, missing } = line;
  const at = (value) => priceText(value ?? null, tick);
  const of = (path) => why(missing, path);
  const slip = position?.expected_slippage ?? null;
  facts(byId("levels"), [
    ["Entry", entry.type === "limit" ? `limit ${at(entry.limit_price)}` : `market, ${at(entry.price)}`, of("entry.price")],
    ["Stop", at(entry.stop), of("entry.stop")],
    ["Target", `${at(entry.target)} (${entry.risk_reward})`, of("entry.target")],
    ["Position", ...size(position, of("position"))],
    ["First target", at(position?.first_target), of("position.first_target")],
    ["Loss at the stop", dollars(position?.max_loss ?? null), of("position.max_loss")],
    ["Capital", dollars(position?.capital_required ?? null), of("position.capital_required")],
    ["Stop in ATR", share(entry.stop_atr), of("entry.stop_atr")],
    ["Slippage, queue", slip === null ? null : `${slip} · ${count(position.queue_ahead) ?? "–"}`, of("position.expected_slippage")],
  ]);
  setText(byId("rules"), [
    position !== null && !position.costs_included && "Loss without costs",
    position?.trail_stop && `Trailing: ${position.trail_rule}`,
    line.invalidation && `Void: ${line.invalidation}`,
  ].filter(Boolean).join(". "));
}

function sentences(line, reason) {
  const reasons = line?.reasons ?? [];
  fill(byId("reasons"), reasons, (text) => make("li", "", text));
  byId("reasons-title").hidden = reasons.length === 0;
  setText(byId("reasons-title"), line?.signal.type === "HOLD" ? "Why no trade" : "Mind");
  fill(byId("rationale"), line?.signal.rationale ?? [reason], (text) => make("li", "", text));
}

export function showSignal(frame, whyOf) {
  const line = frame.signal;
  const tick = frame.market?.tick ?? null;
  head(frame, whyOf("signal"));
  since(line);
  const entry = line?.entry ?? null;
  byId("plan").hidden = entry === null;
  if (entry !== null) {
    plan(line, tick);
    showLadder(byId("ladder"), line, frame.market, tick);
  }
  sentences(line, whyOf("signal"));
  if (line !== null) speak(line);
}

/** The levels of an open signal, for the chart. */
export function signalLevels(frame) {
  const entry = frame.signal?.entry ?? null;
  if (entry === null) return [];
  const strong = live(frame);
  return [
    { name: "ENTRY", price: entry.limit_price ?? entry.price, colour: "entry", strong },
    { name: "STOP", price: entry.stop, colour: "stop", strong },
    { name: "TARGET 1", price: frame.signal.position?.first_target ?? null, colour: "target", strong: false },
    { name: "TARGET", price: entry.target, colour: "target", strong },
  ];
}
