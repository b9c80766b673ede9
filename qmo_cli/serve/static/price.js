// The price, big, with bid, ask and spread.

import { byId, facts, setAttribute, setText, put } from "./dom.js";
import { count, price as priceText } from "./format.js";

const bases = { mid: "the mid", quote: "a quote", bar: "of a bar" };
let previous = null;

/** An arrow for the direction of the last change; it stays until the price changes again. */
function arrow(price) {
  if (price !== null && previous !== null && price !== previous) {
    const up = price > previous;
    setText(byId("arrow"), up ? "▲" : "▼");
    setAttribute(byId("arrow"), "class", `arrow ${up ? "buy" : "sell"}`);
  }
  previous = price;
}

const sized = (price, size) => (price === null ? null : size === null ? price : `${price} × ${size}`);

function ticks(market) {
  const spread = market?.spread ?? null;
  if (spread === null) return null;
  const wide = market.tick ? Math.round(spread / market.tick) : null;
  const text = priceText(spread, market.tick);
  return wide === null ? text : `${text} (${wide} ${wide === 1 ? "tick" : "ticks"})`;
}

/** The market of a frame; of bare signals, what they say of it. */
export function marketOf({ market, signal }) {
  if (market !== null || signal === null) return market;
  return { price: signal.current_price, price_basis: signal.price_basis, spread: signal.market_context.spread, tick: null };
}

export function showPrice(frame, why) {
  const market = marketOf(frame);
  const of = (name) => priceText(market?.[name] ?? null, market?.tick ?? null);
  const size = (name) => count(market?.[name] ?? null);
  put(byId("price"), of("price"), why("market.price"));
  arrow(market?.price ?? null);
  const basis = market?.price_basis ?? null;
  facts(byId("quote"), [
    ["Bid", sized(of("bid"), size("bid_size")), why("market.bid"), "buy"],
    ["Ask", sized(of("ask"), size("ask_size")), why("market.ask"), "sell"],
    ["Spread", ticks(market), why("market.spread")],
    ...(basis === "trade" || basis === null ? [] : [["Price is", bases[basis] ?? basis, ""]]),
  ]);
}

/** Another series: its first price is no change. */
export function forgetPrice() {
  previous = null;
  setText(byId("arrow"), "");
}
