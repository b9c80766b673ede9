// The smaller panels: order flow, zones, session, the data and its age.

import { byId, facts, fill, make, setText } from "./dom.js";
import { count, minutes, msOfIso, msOfNs, price as priceText, share, signed, span } from "./format.js";
import * as zone from "./zone.js";

const towards = (value) => (value > 0 ? "buy" : value < 0 ? "sell" : "");
const biases = { BULLISH: ["▲ bullish", "buy"], BEARISH: ["▼ bearish", "sell"], BUY: ["▲ buyers", "buy"], SELL: ["▼ sellers", "sell"] };

export function showFlow(frame, why) {
  const flow = frame.flow ?? {};
  const tick = frame.market?.tick ?? null;
  const at = (name) => priceText(flow[name] ?? null, tick);
  const [bias, side] = biases[flow.bias] ?? [flow.bias?.toLowerCase() ?? null, ""];
  const of = (name) => why(`flow.${name}`);
  facts(byId("flow"), [
    ["Bias", bias, of("bias"), side],
    ["Delta", signed(flow.delta), of("delta"), towards(flow.delta)],
    ["Volume", count(flow.volume), of("volume")],
    ["CVD", signed(flow.cvd), of("cvd"), towards(flow.cvd)],
    ["Heat", flow.heat === null || flow.heat === undefined ? null : `${Math.round(flow.heat)} of 100`, of("heat")],
    ["VWAP", at("vwap"), of("vwap")],
    ["POC", at("poc"), of("poc")],
    ["Value area", at("val") === null || at("vah") === null ? null : `${at("val")} – ${at("vah")}`, of("vah")],
  ]);
  setText(byId("anchor"), flow.anchor ? `since ${flow.anchor}` : "");
}

const words = { B: "▲ bid", A: "▼ ask" };

/** How far a zone is from the price, in ticks; 0 inside it. */
function away(each, market) {
  if (market?.price === null || market?.price === undefined || !market.tick) return null;
  const { price, tick } = market;
  return price > each.high ? Math.round((each.high - price) / tick) : price < each.low ? Math.round((each.low - price) / tick) : 0;
}

function zoneRow([kind, side, low, high, state, strength, confidence, distance, tested]) {
  const where = low === high ? low : `${low} – ${high}`;
  const far = distance === null ? "–" : distance === 0 ? "at price" : `${signed(distance)} t`;
  const item = make("li", "", null, [
    make("span", `mark ${kind} ${side === "B" ? "buy" : "sell"}`, words[side] ?? ""), make("span", "", kind), make("b", "", where),
    make("span", "dim far", far), make("span", "dim state", state),
  ]);
  item.title = `strength ${strength ?? "–"} of 10, confidence ${confidence ?? "–"}, last seen ${tested}`;
  return item;
}

export function showZones(frame) {
  const tick = frame.market?.tick ?? null;
  const rows = frame.zones.map((each) => [
    each.kind, each.side, priceText(each.low, tick), priceText(each.high, tick), each.state, share(each.strength), share(each.confidence),
    away(each, frame.market), zone.time(msOfNs(each.last_seen)),
  ]);
  fill(byId("zones"), rows, zoneRow);
  const access = frame.health?.access ?? null;
  const none = access === "mbo" ? "none live" : (frame.missing.iceberg ?? frame.feed.detail ?? "none live");
  setText(byId("zones-count"), rows.length === 0 ? none : `${rows.length} live, nearest first`);
}

export function showSession(frame, why) {
  const session = frame.session ?? {};
  const tick = frame.market?.tick ?? null;
  const range = (name) => {
    const [low, high] = [session[`${name}_low`] ?? null, session[`${name}_high`] ?? null];
    return low === null || high === null ? null : `${priceText(low, tick)} – ${priceText(high, tick)}`;
  };
  const of = (name) => why(`session.${name}`);
  const closes = zone.minute(msOfIso(session.closes));
  const left = minutes(session.minutes_to_close);
  facts(byId("session"), [
    ["Session", session.name ?? null, of("name")],
    ["Trade date", session.trade_date ?? null, of("trade_date")],
    ["To the close", left && closes ? `${left} (${closes})` : left, of("minutes_to_close")],
    ["To settlement", minutes(session.minutes_to_settlement), of("minutes_to_settlement")],
    ["Day", range("day"), of("day_low")],
    ["Prior day", range("prior_day"), of("prior_day_low")],
    ["Overnight", range("overnight"), of("overnight_low")],
    ["First notice", session.days_to_first_notice == null ? null : `in ${session.days_to_first_notice} days`, of("days_to_first_notice")],
    ["Notes", [...(session.notes ?? []), session.early_close && "early close", session.first_15 && "first 15 minutes",
      session.last_15 && "last 15 minutes"].filter(Boolean).join(", ") || (frame.session ? "none" : null), of("notes")],
  ]);
}

const usual = (stages) => Object.entries(stages ?? {}).sort((one, other) => other[1] - one[1]).slice(0, 3)
  .map(([name, us]) => `${name} ${Math.round(us)}`).join(", ");

export function showData(frame, age, skipped, why) {
  const { feed, health, latency } = frame;
  facts(byId("data"), [
    ["Feed", feed.state + (feed.detail ? `: ${feed.detail}` : ""), ""],
    ["Quality", feed.quality ?? null, feed.detail ?? "no data yet"],
    ["Source", feed.source === null ? null : `${feed.source}, ${feed.access ?? "–"}`, feed.detail ?? "no data yet"],
    ["Newest packet", age === null ? null : `${span(age)} ago`, feed.detail ?? "no data yet"],
    ["Time of packet", latency?.packet_us == null ? null : `${Math.round(latency.packet_us)} µs`, "not measured by this source"],
    ["Slowest, µs", latency === null ? null : usual(latency.stages) || null, "not measured by this source"],
    ["Packets", `${count(frame.seq)}, ${count(skipped)} not drawn`, ""],
    ["Book", health?.book == null ? null : `${health.book}${health.crossed ? ", CROSSED" : ""}`, health ? `${health.access} has no book of orders` : why("health")],
    ["Late, dropped", health === null ? null : `${count(health.late)}, ${count(health.dropped)}`, why("health")],
    ["Flags", health === null ? null : health.flags.join(", ") || "none", why("health")],
  ]);
  const messages = frame.system.map(({ kind, detail, ts }) => `${zone.time(msOfNs(ts)) ?? "–"} ${kind}${detail ? `: ${detail}` : ""}`);
  fill(byId("messages"), messages.reverse(), (text) => make("li", "", text));
  byId("messages-title").hidden = messages.length === 0;
}
