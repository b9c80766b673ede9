// The page: one connection, the newest frame, and what shows it.

import { Candles, STEPS } from "./candles.js";
import { Chart } from "./chart.js";
import { Connection } from "./connection.js";
import { byId, fill, make, setAttribute, setText } from "./dom.js";
import { msOfNs, price as priceText, share, span } from "./format.js";
import { startGate, showGate } from "./gate.js";
import { listen } from "./keys.js";
import { showLegend } from "./legend.js";
import { notices, showNotices, speakNotices, stampOf } from "./notices.js";
import { showData, showFlow, showSession, showZones } from "./panels.js";
import { forgetPrice, marketOf, showPrice } from "./price.js";
import { showPillars } from "./pillars.js";
import { showSignal, signalLevels } from "./signal.js";
import { remember, remembered, takeToken } from "./store.js";
import { nextTheme, startTheme, themeName } from "./theme.js";
import { whyFrame } from "./why.js";
import * as zone from "./zone.js";

const pending = new Map(); // candles to draw, by their time
let frame = null; // the newest
let heardAt = 0; // when it came, ms of performance.now
let skipped = 0; // packets that no frame showed
let drawn = null; // the frame on the screen
let hovered = null; // time of the candle under the pointer
let failure = null; // the first error of this page itself
let settled = null; // packets of the frame that has been drawn in full
let marked = ""; // what marks the chart shows
let step = STEPS.includes(Number(remembered("step", "60"))) ? Number(remembered("step", "60")) : 60;

takeToken();
const chart = new Chart(byId("chart"), (time) => {
  hovered = time;
  legend();
});
const candles = new Candles(
  (changed, rows) => changed === step && rows.forEach((row) => pending.set(row[0], row)),
  (loaded) => loaded === step && load(),
);
const connection = new Connection(heard, connected);

/** Seconds since the newest packet came to the server: its own measure, and the time since it said so. */
const age = () => (frame === null || frame.feed.age === null ? null : frame.feed.age + (performance.now() - heardAt) / 1000);

function heard(next) {
  if (frame !== null && next.series === frame.series && next.seq > frame.seq + 1) skipped += next.seq - frame.seq - 1;
  const waiting = frame === drawn;
  frame = next;
  heardAt = performance.now();
  candles.take(next, step);
  title();
  if (waiting) requestAnimationFrame(draw);
}

/** At most once in so many ms: there are twenty frames a second, and an eye does not read a table that often. */
function seldom(pause, action) {
  let last = -Infinity;
  return (now) => {
    if (now - last < pause) return;
    last = now;
    action();
  };
}

const drawChart = seldom(110, () => {
  const { flow } = frame;
  const level = (name, key) => ({ name, price: flow?.[key] ?? null, colour: "level", strong: false });
  chart.update([...pending.values()].sort(([one], [other]) => one - other));
  pending.clear();
  chart.quote(frame.market);
  chart.zones(frame.zones);
  chart.levels([
    ...signalLevels(frame), level("VWAP", "vwap"), level("POC", "poc"), level("VAH", "vah"), level("VAL", "val"),
  ]);
  showMarks();
  legend();
  const some = candles.rows[step].length > 0;
  byId("chart-note").hidden = some;
  setText(byId("chart-note"), some ? "" : (frame.feed.detail ?? "no candles yet"));
});

const drawPanels = seldom(240, () => {
  const why = whyFrame(frame);
  showPillars(frame, why);
  showFlow(frame, why);
  showZones(frame);
  showSession(frame, why);
  chooser();
  tick();
});

/** The price and the signal at once; the rest when it is its time. */
function draw(now) {
  if (frame === null) return;
  drawn = frame;
  const why = whyFrame(frame);
  setAttribute(document.documentElement, "data-feed", frame.feed.state);
  setText(byId("symbol"), frame.symbol ?? frame.series ?? "waiting for data");
  setText(byId("clock"), zone.full(msOfNs(frame.ts)) ?? "no data yet");
  showPrice(frame, why);
  showSignal(frame, why);
  drawChart(now);
  drawPanels(now);
}

function showMarks() {
  const rows = candles.rows[step];
  const key = `${candles.series} ${step} ${candles.marks.size} ${frame?.marks.at(-1)?.ts} ${rows[0]?.[0]}`;
  if (key === marked || rows.length === 0) return;
  marked = key;
  chart.marks([...candles.marks.values()], rows[0][0]);
}

function load() {
  pending.clear();
  chart.load(step, candles.rows[step]);
  marked = "";
  showMarks();
}

function legend() {
  const rows = candles.rows[step];
  const row = hovered === null ? rows.at(-1) : rows.find(([time]) => time === hovered);
  showLegend(row ?? rows.at(-1), step, frame?.market?.tick ?? null);
}

/** What goes on while nothing comes: ages, and the warnings that depend on them. */
function tick() {
  if (frame === null) return;
  const said = notices(frame, age() === null ? null : Math.floor(age()));
  showNotices(byId("notices"), said);
  speakNotices(said);
  pulse();
  chart.stamp(connection.state === "lost" ? "CONNECTION LOST" : stampOf(said));
  showData(frame, age(), skipped, whyFrame(frame));
  title();
}

/** How fresh and how fast, always in sight. */
function pulse() {
  const { feed, latency } = frame;
  const parts = [
    `${feed.state}${feed.quality ? `, ${feed.quality}` : ""}`, age() !== null && `${span(age())} old`,
    latency !== null && `${Math.round(latency.packet_us)} µs a packet`,
  ];
  setText(byId("pulse"), parts.filter(Boolean).join(" · "));
}

function title() {
  if (frame === null) return;
  const { signal, symbol } = frame;
  const market = marketOf(frame);
  const lost = connection.state === "lost" ? "LOST" : stampOf(notices(frame, null));
  const sign = { BUY: "▲ BUY", SELL: "▼ SELL", HOLD: "■ HOLD" }[signal?.signal.type] ?? "–";
  const parts = [
    lost && `[${lost}]`, sign, share(signal?.signal.confidence ?? null), priceText(market?.price ?? null, market?.tick ?? null),
    symbol, "qmo",
  ];
  const text = parts.filter(Boolean).join(" ");
  if (document.title !== text) document.title = text;
}

/** What the connection is at: lost is said loudly, and all values are grey until a frame comes. */
function connected(state, detail) {
  setAttribute(document.documentElement, "data-connection", state);
  showGate(state === "refused", detail);
  if (state === "open") candles.forget("");
  lost();
  tick();
}

/** What must be said across the page: [name, words], or null. */
function alarm() {
  if (failure !== null) return ["THE PAGE FAILED", `${failure}. What you see may be wrong: reload the page.`];
  if (connection.state !== "lost") return null;
  const since = frame === null ? "" : ` What you see is of ${zone.time(msOfNs(frame.ts)) ?? "before"} and may be wrong.`;
  return ["CONNECTION LOST", `${connection.detail}.${since} Trying again; r tries at once.`];
}

function lost() {
  const said = alarm();
  byId("lost").hidden = said === null;
  fill(byId("lost"), said === null ? [] : [said], ([name, text]) => make("p", "", null, [
    make("span", "sign", "✕"), make("strong", "", name), make("span", "", ` ${text}`),
  ]));
}

/** An error of this page itself is as bad as a lost connection: what is shown may be old. */
function failed(words) {
  if (String(words).startsWith("ResizeObserver")) return; // a browser's note on layout, no error
  failure ??= String(words);
  lost();
}

function chooser() {
  const all = frame.all_series;
  byId("chooser").hidden = all.length < 2;
  fill(byId("series"), all, (name) => {
    const option = make("option", "", name);
    option.value = name;
    return option;
  });
  if (document.activeElement !== byId("series") && frame.series !== null) byId("series").value = frame.series;
}

function choose(series) {
  const query = new URLSearchParams(location.search);
  query.set("series", series);
  history.replaceState(null, "", `?${query}`);
  candles.forget(series);
  pending.clear();
  forgetPrice();
  skipped = 0;
  chart.load(step, []);
  connection.open(series);
}

function nextSeries() {
  const all = frame?.all_series ?? [];
  if (all.length > 1) choose(all[(all.indexOf(frame.series) + 1) % all.length]);
}

function chooseStep(seconds) {
  step = seconds;
  remember("step", String(seconds));
  for (const button of document.querySelectorAll("[data-step]")) {
    setAttribute(button, "aria-pressed", String(Number(button.dataset.step) === step));
  }
  load();
  chart.now();
  legend();
}

function dress() {
  setText(byId("theme"), themeName());
  setText(byId("zone"), zone.zoneName());
  chart.dress();
  chart.stamped = undefined;
  load();
  settled = null;
  draw(performance.now());
}

const turnTheme = () => (nextTheme(), dress());
const turnZone = () => (zone.turnZone(), dress());
const showHelp = () => byId("help-dialog").showModal();

startTheme(dress);
startGate(() => connection.open());
dress();
chooseStep(step);
byId("theme").addEventListener("click", turnTheme);
byId("zone").addEventListener("click", turnZone);
byId("help").addEventListener("click", showHelp);
byId("now").addEventListener("click", () => chart.now());
byId("series").addEventListener("change", (event) => choose(event.target.value));
for (const button of document.querySelectorAll("[data-step]")) {
  button.addEventListener("click", () => chooseStep(Number(button.dataset.step)));
}
listen({
  1: () => chooseStep(15), 2: () => chooseStep(60), 3: () => chooseStep(300), n: () => chart.now(), s: nextSeries,
  t: turnTheme, z: turnZone, r: () => connection.state !== "open" && connection.open(), "?": showHelp,
});
addEventListener("error", (event) => failed(event.message));
addEventListener("unhandledrejection", (event) => failed(event.reason));
addEventListener("online", () => connection.state === "lost" && connection.open());
setInterval(() => {
  if (frame !== null && frame.seq !== settled) draw(performance.now()); // what the last frame brought and was not yet due
  else tick();
  settled = frame?.seq ?? null;
}, 500);
connection.open(new URLSearchParams(location.search).get("series") ?? "");
