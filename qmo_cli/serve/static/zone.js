// The zone in which times are shown: the exchange's or the computer's, and always said which.

import { remember, remembered } from "./store.js";

const CHICAGO = "America/Chicago";
const LOCAL = Intl.DateTimeFormat().resolvedOptions().timeZone;
let zone = remembered("zone", CHICAGO) === CHICAGO ? CHICAGO : LOCAL;
let formats = made();

function made() {
  const of = (options) => new Intl.DateTimeFormat("en-GB", { timeZone: zone, hourCycle: "h23", ...options });
  const clock = { hour: "2-digit", minute: "2-digit", second: "2-digit" };
  return {
    time: of(clock),
    minute: of({ hour: "2-digit", minute: "2-digit" }),
    day: of({ day: "2-digit", month: "short" }),
    date: of({ weekday: "short", day: "2-digit", month: "short", year: "numeric" }),
    name: new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "short" }), // en-US knows CDT and CST
  };
}

const shown = (kind) => (ms) => (ms === null || ms === undefined ? null : formats[kind].format(ms));
export const time = shown("time");
export const minute = shown("minute");
export const day = shown("day");

/** Date, time and the zone's short name: Mon, 05 Oct 2026 11:07:11 CDT. */
export function full(ms) {
  if (ms === null || ms === undefined) return null;
  const name = formats.name.formatToParts(ms).find(({ type }) => type === "timeZoneName").value;
  return `${formats.date.format(ms)} ${formats.time.format(ms)} ${name}`;
}

/** What the button says: CME is in Chicago. */
export const zoneName = () => (zone === CHICAGO ? "Chicago" : `Local (${LOCAL})`);

/** The other of the two. */
export function turnZone() {
  zone = zone === CHICAGO ? LOCAL : CHICAGO;
  remember("zone", zone);
  formats = made();
}
