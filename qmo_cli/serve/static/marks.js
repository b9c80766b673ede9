// Marks on the candles: signals as arrows, the newest with its words; the rest as squares with a letter, equal ones of a
// candle as one. Sweeps are many and have a price: they are drawn small, there.

const letters = { stop_run: "R", grab: "G", iceberg: "I" };

/** The marker of equal marks of one candle. */
function marker(time, marks, colours, words) {
  const { kind, side } = marks[0];
  const up = side === "B";
  const look = {
    time, color: side === "N" ? colours.dim : up ? colours.buy : colours.sell, position: up ? "belowBar" : "aboveBar",
  };
  if (kind === "signal" && side === "N") return { ...look, position: "aboveBar", shape: "circle", size: 0.4 }; // it closed
  if (kind === "signal") return { ...look, shape: up ? "arrowUp" : "arrowDown", size: 1.5, ...(words && { text: words }) };
  return { ...look, shape: "square", size: 0.3, text: letters[kind] ?? kind };
}

/** Markers of the chart library, oldest first, from the time of the first candle on. */
export function markers(marks, step, from, colours) {
  const groups = new Map();
  for (const mark of marks) {
    const seconds = Number(BigInt(mark.ts) / 1000000000n);
    const time = seconds - (seconds % step);
    if (time < from || mark.kind === "sweep") continue;
    const key = `${time} ${mark.kind} ${mark.side}`;
    groups.set(key, [...(groups.get(key) ?? []), { ...mark, time }]);
  }
  const newest = marks.findLast(({ kind, side }) => kind === "signal" && side !== "N");
  const words = (group) => (group.some(({ id }) => id === newest?.id) ? newest.text.split(" ", 2).join(" ") : null);
  return [...groups.values()]
    .map((group) => marker(group[0].time, group, colours, words(group)))
    .sort((one, other) => one.time - other.time);
}

/** Sweeps: [{time, price, side}] from the time of the first candle on. */
export function sweeps(marks, from) {
  return marks.filter(({ kind, price }) => kind === "sweep" && price !== null)
    .map(({ ts, price, side }) => ({ time: Number(BigInt(ts) / 1000000000n), price, side }))
    .filter(({ time }) => time >= from);
}
