// The line above the candles: open, high, low, close, delta, CVD and score of the newest candle, or of the one pointed at.

import { columns, delta } from "./chart.js";
import { byId, fill, make } from "./dom.js";
import { count, price as priceText, share, signed } from "./format.js";
import * as zone from "./zone.js";

export function showLegend(row, step, tick) {
  const part = ([name, text, side]) => make("span", side, null, [make("small", "", name), make("b", "", text ?? "–")]);
  if (row === undefined) {
    fill(byId("legend"), [["", "no candles yet", ""]], part);
    return;
  }
  const at = (column) => priceText(row[column], tick);
  const value = delta(row);
  fill(byId("legend"), [
    [step < 60 ? "" : "", (step < 60 ? zone.time : zone.minute)(row[columns.TIME] * 1000), ""],
    ["O", at(columns.OPEN), ""], ["H", at(columns.HIGH), ""], ["L", at(columns.LOW), ""], ["C", at(columns.CLOSE), ""],
    ["Bought", count(row[columns.BUY]), ""], ["Sold", count(row[columns.SELL]), ""],
    ["Delta", signed(value), value > 0 ? "buy" : value < 0 ? "sell" : ""],
    ["CVD", signed(row[columns.CVD]), ""], ["Score", share(row[columns.SCORE]), ""],
  ], part);
}
