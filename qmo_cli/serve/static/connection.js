// The stream of frames: connects, listens for silence, comes back with growing pauses, and says what it is at.

import { headers, protocols } from "./store.js";

const VERSION = 1; // of the frames
const SILENCE = 5000; // ms: the server says something at least once a second
const PAUSES = [500, 1000, 2000, 4000, 8000]; // ms before the next try; a fifth more or less, so that not all come at once

/** Ask over HTTP why: a browser does not tell with which status a WebSocket was refused. [refused, words]. */
async function probe(query) {
  let answer;
  try {
    answer = await fetch(`/api/v1/signal${query}`, { headers: headers(), cache: "no-store" });
  } catch {
    return [false, "the server cannot be reached"];
  }
  const words = await answer.json().then((body) => body.error?.message, () => null);
  return [answer.status === 401, words ?? "the server closed the connection"];
}

/**
 * `heard(frame)` gets each frame; `changed(state, detail)` gets "connecting", "open", "lost" or "refused".
 * `detail` says why in words; `nextTry` is when it tries again (ms of performance.now), null while it does not wait.
 */
export class Connection {
  constructor(heard, changed) {
    this.heard = heard;
    this.changed = changed;
    this.series = "";
    this.socket = null;
    this.failures = 0;
    this.last = performance.now();
    this.nextTry = null;
    this.state = "connecting";
    this.detail = "";
    setInterval(() => this.#watch(), 250);
  }

  get #query() {
    return this.series === "" ? "" : `?series=${encodeURIComponent(this.series)}`;
  }

  /** Connect now, whatever there was. */
  open(series = this.series) {
    this.series = series;
    this.#drop();
    this.nextTry = null;
    this.last = performance.now();
    if (this.state !== "lost") this.#say("connecting", "connecting to the server");
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}/api/v1/stream${this.#query}`, protocols());
    socket.onmessage = (event) => this.#message(event);
    socket.onclose = () => this.#closed();
    this.socket = socket;
  }

  #message(event) {
    const frame = JSON.parse(event.data); // what cannot be read has not been heard
    this.last = performance.now();
    this.failures = 0;
    if (frame.schema !== "frame" || frame.v !== VERSION) {
      this.#drop();
      this.#lose("the server sends frames of another version: reload the page");
      return;
    }
    if (this.state !== "open") this.#say("open", "");
    this.heard(frame);
  }

  async #closed() {
    this.#drop();
    const [refused, words] = await probe(this.#query);
    if (this.socket !== null) return; // meanwhile opened anew
    if (refused) this.#say("refused", words);
    else this.#lose(words);
  }

  #watch() {
    const now = performance.now();
    if (this.nextTry !== null && now >= this.nextTry) this.open();
    else if (this.socket !== null && now - this.last > SILENCE) {
      this.#drop();
      this.#lose(`nothing heard for ${SILENCE / 1000} s`);
    }
  }

  #lose(detail) {
    const pause = PAUSES[Math.min(this.failures, PAUSES.length - 1)];
    this.failures += 1;
    this.nextTry = performance.now() + pause * (0.8 + 0.4 * Math.random());
    this.#say("lost", detail);
  }

  #drop() {
    if (this.socket === null) return;
    this.socket.onmessage = this.socket.onclose = null;
    this.socket.close();
    this.socket = null;
  }

  #say(state, detail) {
    this.state = state;
    this.detail = detail;
    this.changed(state, detail);
  }
}
