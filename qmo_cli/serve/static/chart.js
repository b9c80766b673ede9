// The chart: candles with zones, levels and marks; delta and CVD of each candle; the score.

import {
  CandlestickSeries, ColorType, CrosshairMode, HistogramSeries, LineSeries, LineStyle, createChart, createSeriesMarkers,
  createTextWatermark,
} from "./lightweight-charts.js";
import { Bands } from "./bands.js";
import { count, price as priceText } from "./format.js";
import { markers, points } from "./marks.js";
import { palette } from "./theme.js";
import * as zone from "./zone.js";

const [TIME, OPEN, HIGH, LOW, CLOSE, BUY, SELL, NONE, CVD, SCORE] = Array(10).keys();
export const columns = { TIME, OPEN, HIGH, LOW, CLOSE, BUY, SELL, NONE, CVD, SCORE };

/** Bought less sold; not known where no side of any trade is known. */
export const delta = (row) => ((row[BUY] ?? 0) + (row[SELL] ?? 0) > 0 ? row[BUY] - row[SELL] : null);

const candle = (row) => (row[OPEN] === null
  ? { time: row[TIME] }
  : { time: row[TIME], open: row[OPEN], high: row[HIGH], low: row[LOW], close: row[CLOSE] });
const point = (row, value) => (value === null || value === undefined ? { time: row[TIME] } : { time: row[TIME], value });

const whole = { type: "custom", minMove: 1, formatter: (value) => count(Math.round(value)) };
const ofOne = { type: "custom", minMove: 0.01, formatter: (value) => value.toFixed(2) };
const quiet = { priceLineVisible: false, lastValueVisible: true };

export class Chart {
  constructor(element, hovered) {
    this.chart = createChart(element, { autoSize: true });
    this.candles = this.chart.addSeries(CandlestickSeries, { ...quiet, priceLineVisible: true, priceLineStyle: LineStyle.Dotted });
    this.delta = this.chart.addSeries(HistogramSeries, { ...quiet, priceFormat: whole, title: "Delta", base: 0 }, 1);
    this.cvd = this.chart.addSeries(LineSeries, { ...quiet, priceFormat: whole, title: "CVD", lineWidth: 2 }, 2);
    this.score = this.chart.addSeries(LineSeries, {
      ...quiet, priceFormat: ofOne, title: "Score", lineWidth: 2,
      autoscaleInfoProvider: () => ({ priceRange: { minValue: 0, maxValue: 1 } }),
    }, 3);
    this.markers = createSeriesMarkers(this.candles, []);
    this.bands = new Bands();
    this.candles.attachPrimitive(this.bands);
    this.watermark = createTextWatermark(this.chart.panes()[0], { horzAlign: "center", vertAlign: "center", lines: [] });
    this.lines = this.#lines();
    this.chart.panes().forEach((pane, index) => pane.setStretchFactor([6, 1.5, 1.4, 1.4][index]));
    this.chart.subscribeCrosshairMove(({ time }) => hovered(time ?? null));
    this.step = 60;
    this.tick = null;
    this.quoted = "";
    this.newest = 0; // time of the last candle drawn
    this.written = new Map(); // what has been drawn since: a candle that did not change is not drawn again
  }

  #lines() {
    const line = (series, price, title) => series.createPriceLine({ price, title, lineWidth: 1, axisLabelVisible: false });
    return {
      bid: line(this.candles, 0, ""), ask: line(this.candles, 0, ""),
      buyAbove: line(this.score, 0.75, ""), sellBelow: line(this.score, 0.25, ""),
    };
  }

  /** Colours out of the style sheet, and the formats of times. */
  dress() {
    const colours = (this.colours = palette());
    const { text, grid, panel, buy, sell, dim } = colours;
    this.chart.applyOptions({
      layout: {
        background: { type: ColorType.Solid, color: panel }, textColor: text, fontSize: 11, attributionLogo: true,
        fontFamily: "system-ui, sans-serif", panes: { separatorColor: grid, separatorHoverColor: grid },
      },
      grid: { vertLines: { color: grid }, horzLines: { color: grid } },
      crosshair: { mode: CrosshairMode.Normal },
      rightPriceScale: { borderColor: grid, minimumWidth: 62 },
      timeScale: {
        borderColor: grid, timeVisible: true, secondsVisible: this.step < 60, rightOffset: 14,
        tickMarkFormatter: (time, kind) => (kind < 3 ? zone.day : zone.minute)(time * 1000),
      },
      localization: { timeFormatter: (time) => zone.full(time * 1000) },
    });
    this.candles.applyOptions({
      upColor: panel, downColor: sell, borderUpColor: buy, borderDownColor: sell, wickUpColor: buy, wickDownColor: sell,
    });
    this.cvd.applyOptions({ color: text });
    this.score.applyOptions({ color: colours.score });
    this.lines.bid.applyOptions({ color: buy, lineStyle: LineStyle.SparseDotted });
    this.lines.ask.applyOptions({ color: sell, lineStyle: LineStyle.SparseDotted });
    this.lines.buyAbove.applyOptions({ color: buy, lineStyle: LineStyle.Dashed });
    this.lines.sellBelow.applyOptions({ color: sell, lineStyle: LineStyle.Dashed });
    this.bands.show({ colours: { ...colours, level: dim } });
  }

  /** All candles of a step anew. */
  load(step, rows) {
    const fresh = this.newest === 0 || this.step !== step;
    this.step = step;
    this.newest = rows.at(-1)?.[TIME] ?? 0;
    this.written = new Map();
    this.bands.show({ step });
    this.chart.applyOptions({ timeScale: { secondsVisible: step < 60 } });
    this.candles.setData(rows.map(candle));
    this.delta.setData(rows.map((row) => this.#bar(row)));
    this.cvd.setData(rows.map((row) => point(row, row[CVD])));
    this.score.setData(rows.map((row) => point(row, row[SCORE])));
    if (fresh) this.chart.timeScale().resetTimeScale();
  }

  /** The newest candles, oldest first. */
  update(rows) {
    for (const row of rows) {
      const past = row[TIME] < this.newest;
      const key = row.join();
      if (this.written.get(row[TIME]) === key) continue;
      this.written.set(row[TIME], key);
      this.newest = Math.max(this.newest, row[TIME]);
      this.candles.update(candle(row), past);
      this.delta.update(this.#bar(row), past);
      this.cvd.update(point(row, row[CVD]), past);
      this.score.update(point(row, row[SCORE]), past);
    }
  }

  #bar(row) {
    const value = delta(row);
    return { ...point(row, value), color: value < 0 ? this.colours.sell : this.colours.buy };
  }

  /** Bid and ask as lines, prices in the contract's decimals. */
  quote(market) {
    const key = `${market?.bid} ${market?.ask} ${market?.tick}`;
    if (key === this.quoted) return;
    this.quoted = key;
    for (const side of ["bid", "ask"]) {
      const value = market?.[side] ?? null;
      this.lines[side].applyOptions({ price: value ?? 0, lineVisible: value !== null });
    }
    if ((market?.tick ?? null) === this.tick) return;
    this.tick = market?.tick ?? null;
    const format = (value) => priceText(Math.round(value / (this.tick ?? 0.01)) * (this.tick ?? 0.01), this.tick ?? 0.01);
    this.candles.applyOptions({ priceFormat: { type: "custom", minMove: this.tick ?? 0.01, formatter: format } });
    this.bands.show({ tick: this.tick ?? 0 });
  }

  zones(zones) {
    if (JSON.stringify(zones) !== JSON.stringify(this.bands.zones)) this.bands.show({ zones });
  }

  /** Levels: [{name, price, colour, strong}]. */
  levels(levels) {
    const known = levels.filter(({ price }) => price !== null && price !== undefined);
    if (JSON.stringify(known) !== JSON.stringify(this.bands.levels)) this.bands.show({ levels: known });
  }

  marks(marks, from) {
    this.markers.setMarkers(markers(marks, this.step, from, this.colours));
    this.bands.show({ points: points(marks, from) });
  }

  /** What the data is, across the candles, where it is not the market's own. */
  stamp(text) {
    if (text === this.stamped) return;
    this.stamped = text;
    const { water } = palette();
    this.watermark.applyOptions({ lines: text ? [{ text, color: water, fontSize: 54, fontStyle: "bold" }] : [] });
  }

  now() {
    this.chart.timeScale().scrollToRealTime();
  }
}
