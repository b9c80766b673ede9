// Why a value is null: the reason stands in a `missing` map under its path, or under a part of it.

const NONE = "no reason was given";
const ENGINES = { flow: "orderflow" }; // a slot of a frame, and the engine whose reason stands where the slot is null

/** The reason of `flow.vwap` in {"flow.vwap": ...} or {"flow": ...}. */
export function why(missing, path) {
  for (let at = path; at !== ""; at = at.slice(0, Math.max(0, at.lastIndexOf(".")))) {
    if (missing && at in missing) return missing[at];
  }
  return NONE;
}

/** The reasons of a frame; while there is no packet, that is the reason of everything. */
export function whyFrame(frame) {
  const nothing = frame.series === null ? (frame.feed.detail ?? "no data has come yet") : null;
  return (path) => {
    const [slot] = path.split(".");
    const found = nothing ?? why(frame.missing, path);
    return found === NONE && slot in ENGINES ? why(frame.missing, ENGINES[slot]) : found;
  };
}
