// Marks on the candles: signals that open are arrows, the newest with its words; all else is many, and small, at its price.

const secondsOf = ({ ts }) => Number(BigInt(ts) / 1000000000n);
const opens = ({ kind, side }) => kind === "signal" && side !== "N";

/** Markers of the chart library for the signals, oldest first, from the time of the first candle on. */
export function markers(marks, step, from, colours) {
  const signals = marks.filter(opens).map((mark) => ({ ...mark, time: secondsOf(mark) - (secondsOf(mark) % step) }))
    .filter(({ time }) => time >= from).sort((one, other) => one.time - other.time);
  return signals.map(({ time, side, text }, index) => {
    const up = side === "B";
    const words = index === signals.length - 1 ? { text: text.split(" ", 2).join(" ") } : {};
    return {
      time, color: up ? colours.buy : colours.sell, position: up ? "belowBar" : "aboveBar", shape: up ? "arrowUp" : "arrowDown",
      size: 1.5, ...words,
    };
  });
}

/** The others: [{kind, time, price, side}] from the time of the first candle on; a signal among them is one that closed. */
export function points(marks, from) {
  return marks.filter((mark) => !opens(mark) && mark.price !== null)
    .map((mark) => ({ kind: mark.kind, time: secondsOf(mark), price: mark.price, side: mark.side }))
    .filter(({ time }) => time >= from);
}
