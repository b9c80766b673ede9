// What kind of data this is, and what is wrong with it: in words, with a sign and a pattern, never in colour alone.

import { byId, fill, make, setText } from "./dom.js";
import { span } from "./format.js";

const qualities = {
  simulated: ["◆", "SIMULATED", "a made-up market: no price here is real"],
  replay: ["↺", "REPLAY", "a recording: this is the past"],
  delayed: ["◷", "DELAYED", "prices are late: do not trade on them"],
  cached: ["◷", "CACHED", "prices were fetched earlier: do not trade on them"],
  warmup: ["▲", "WARM-UP", "history is being read: not the market now"],
  doubtful: ["?", "DOUBTFUL", "the feed has doubts about these prices"],
  stale: ["■", "STALE", "nothing new has come: do not trade on it"],
};
const states = {
  starting: ["…", "STARTING", "no data has come yet"],
  stale: ["■", "STALE", "nothing new has come: do not trade on it"],
  ended: ["■", "ENDED", "the data is at its end: nothing more will come"],
  failed: ["✕", "FEED FAILED", "the data has stopped"],
};
const LOUD = new Set(["stale", "failed", "ended", "delayed", "cached", "doubtful"]);

/** [key, sign, name, words] of all that must be said of this frame, the worst first. */
export function notices(frame, age) {
  const { state, detail, quality } = frame.feed;
  const said = [];
  if (states[state]) {
    const [sign, name, words] = states[state];
    const old = age === null ? words : `no packet for ${span(age)}: do not trade on what you see`;
    said.push([state, sign, name, state === "stale" ? old : (detail ?? words)]);
  }
  if (quality && quality !== "real-time" && quality !== state) {
    const [sign, name, words] = qualities[quality] ?? ["?", quality.toUpperCase(), "not real-time data"];
    said.push([quality, sign, name, words]);
  }
  const health = frame.health;
  if (health?.crossed) said.push(["doubtful", "?", "BOOK CROSSED", "bid and ask are not to be trusted"]);
  if (health?.trading === false || frame.session?.open === false) said.push(["closed", "◼", "MARKET CLOSED", "no trading now"]);
  return said;
}

export function showNotices(list, said) {
  fill(list, said, ([key, sign, name, words]) => make("li", `notice ${LOUD.has(key) ? "loud" : ""}`, null, [
    make("span", "sign", sign), make("strong", "", name), make("span", "", words),
  ]));
}

let spoken = null;

/** Read aloud what has changed, by name: the age in the words would be read every second. */
export function speakNotices(said) {
  const names = said.map(([, , name]) => name).join(", ");
  if (names === spoken) return;
  spoken = names;
  setText(byId("spoken"), names === "" ? "Data is live" : `Data: ${names}`);
}

/** One word for the title of the tab and across the chart; null for real-time data that flows. */
export const stampOf = (said) => said[0]?.[2] ?? null;
