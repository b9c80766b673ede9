// Numbers and times as they are shown. Nothing here invents a value: null goes in, null comes out.

const LOCALE = "en-US";
const counts = new Intl.NumberFormat(LOCALE);
const money = new Intl.NumberFormat(LOCALE, { style: "currency", currency: "USD", maximumFractionDigits: 2 });

/** Decimals that a price of this tick needs: 0.1 has 1, 0.05 has 2; without a tick as many as are there, at most 6. */
export function decimals(tick) {
  if (tick === null || tick === undefined) return null;
  const text = String(tick);
  return text.includes("e-") ? Number(text.split("e-")[1]) : (text.split(".")[1] ?? "").length;
}

/** A price in the contract's decimals; more of them where it lies between ticks, as a mid does. */
export function price(value, tick) {
  if (value === null || value === undefined) return null;
  const places = decimals(tick);
  if (places === null) return String(value);
  const fixed = value.toFixed(places);
  return Math.abs(Number(fixed) - value) < 1e-9 ? fixed : String(Number(value.toFixed(places + 2)));
}

export const count = (value) => (value === null || value === undefined ? null : counts.format(value));
export const dollars = (value) => (value === null || value === undefined ? null : money.format(value));
export const share = (value) => (value === null || value === undefined ? null : value.toFixed(2));

const made = {};
const fixed = (places) => (made[places] ??= new Intl.NumberFormat(LOCALE, {
  minimumFractionDigits: places, maximumFractionDigits: places,
}));

/** With its sign, so that the direction does not hang on a colour. */
export function signed(value, places = 0) {
  if (value === null || value === undefined) return null;
  const sign = value > 0 ? "+" : value < 0 ? "−" : "";
  return sign + fixed(places).format(Math.abs(value));
}

/** How long, in the largest unit that tells something: 0.4 s, 14 s, 3 min, 2.5 h. */
export function span(seconds) {
  if (seconds === null || seconds === undefined) return null;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.floor(seconds)} s`;
  return seconds < 7200 ? `${Math.floor(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

/** Minutes as hours and minutes: 380 is 6 h 20 min. */
export function minutes(value) {
  if (value === null || value === undefined) return null;
  const hours = Math.floor(value / 60);
  return hours > 0 ? `${hours} h ${String(value % 60).padStart(2, "0")} min` : `${value} min`;
}

/** Milliseconds of a time in ns, which comes as a decimal string: a number of JavaScript is exact only to 2^53. */
export const msOfNs = (ns) => (ns === null || ns === undefined ? null : Number(BigInt(ns) / 1000000n));
export const msOfIso = (iso) => (iso ? Date.parse(iso) : null);
