// The candles of one series: fetched once, then kept up by the frames; fetched again where something was missed.

import { headers } from "./store.js";

export const STEPS = [15, 60, 300];
const MINUTES = { 15: 90, 60: 360, 300: 1440 };
const MOST_MARKS = 3000;
const TIME = 0;

/** Put a row where its time belongs; new ones come last. Whether it went between others, as one does that came late. */
function place(rows, row) {
  let at = rows.length - 1;
  while (at >= 0 && rows[at][TIME] > row[TIME]) at -= 1;
  if (at >= 0 && rows[at][TIME] === row[TIME]) rows[at] = row;
  else rows.splice(at + 1, 0, row);
  return rows.at(-1) !== row && rows[at] !== row;
}

/** Whether the frame's rows go on from what is known: its older one must not be newer than the last. */
function joins(known, rows) {
  if (rows.length === 0) return true;
  const last = known.at(-1)?.[TIME];
  return last !== undefined && rows[0][TIME] <= last && rows.at(-1)[TIME] >= last;
}

/** `changed(step, rows)` gets the rows to update, `loaded(step)` says that all are new. */
export class Candles {
  constructor(changed, loaded) {
    this.changed = changed;
    this.loaded = loaded;
    this.forget("");
  }

  /** Another series, or what is known may have holes. */
  forget(series) {
    this.series = series;
    this.rows = Object.fromEntries(STEPS.map((step) => [step, []]));
    this.marks = new Map();
    this.wanted = new Set(STEPS);
    this.asked = {}; // when each step was asked for
    this.latest = {}; // rows of the newest frame: they may be newer than the answer
    this.seq = -1;
  }

  /** The rows and marks of one frame. A smaller number of packets means another run of the server. */
  take(frame, step) {
    if (frame.series === null) return;
    if (frame.seq < this.seq || frame.series !== this.series) this.forget(frame.series);
    this.seq = frame.seq;
    this.#mark(frame.marks);
    for (const each of STEPS) this.#follow(each, frame.candles[each] ?? []);
    if (this.wanted.has(step)) this.#fetch(step, frame.series);
  }

  #follow(step, rows) {
    this.latest[step] = rows;
    if (!joins(this.rows[step], rows)) this.wanted.add(step);
    const ahead = rows.length > 0 && rows[0][TIME] >= (this.rows[step].at(-1)?.[TIME] ?? Infinity);
    if (this.wanted.has(step) && !ahead) return; // with a hole the newest is still shown, until the past has come
    const between = rows.filter((row) => place(this.rows[step], row));
    if (between.length > 0) this.loaded(step);
    else this.changed(step, rows);
  }

  /** Ask for the past of one step; not again within a second. */
  async #fetch(step, series) {
    if (performance.now() - (this.asked[step] ?? -Infinity) < 1000) return;
    const asked = (this.asked[step] = performance.now());
    const query = new URLSearchParams({ series, step, minutes: MINUTES[step] });
    try {
      const answer = await fetch(`/api/v1/history?${query}`, { headers: headers(), cache: "no-store" });
      if (!answer.ok || this.asked[step] !== asked) return;
      this.#load(step, await answer.json());
    } catch {
      // The connection says it loudly; the next frame asks again.
    }
  }

  /** Keep marks, each once, and not without end. */
  #mark(marks) {
    for (const mark of marks) this.marks.set(`${mark.kind} ${mark.id} ${mark.ts}`, mark);
    for (const key of this.marks.keys()) {
      if (this.marks.size <= MOST_MARKS) break;
      this.marks.delete(key);
    }
  }

  #load(step, past) {
    this.rows[step] = past.candles;
    this.#mark(past.marks);
    this.wanted.delete(step);
    if (joins(past.candles, this.latest[step] ?? [])) for (const row of this.latest[step] ?? []) place(past.candles, row);
    this.loaded(step);
  }
}
