// What is drawn over the candles at prices: zones as bands from where they were first seen, levels as lines.

const FONT = "11px system-ui, sans-serif";
const NEAR = 13; // px between two labels
const sides = { B: "▲ bid", A: "▼ ask" };

/** Diagonal lines inside a rectangle: absorption is told from iceberg without colour. */
function hatch(context, x, y, width, height) {
  context.save();
  context.beginPath();
  context.rect(x, y, width, height);
  context.clip();
  context.beginPath();
  for (let at = x - height; at < x + width; at += 7) {
    context.moveTo(at, y + height);
    context.lineTo(at + height, y);
  }
  context.stroke();
  context.restore();
}

const polygon = (context, x, y, corners) => corners.forEach(([right, down]) => context.lineTo(x + right, y + down));
const shapes = {
  sweep: (context, x, y, way) => polygon(context, x, y, [[0, 4 * way], [-3.5, -2 * way], [3.5, -2 * way]]), // points where it went
  iceberg: (context, x, y) => polygon(context, x, y, [[0, -4], [4, 0], [0, 4], [-4, 0]]),
  stop_run: (context, x, y) => context.rect(x - 3, y - 3, 6, 6),
  grab: (context, x, y) => context.arc(x, y, 3, 0, 7),
  signal(context, x, y) { // a cross: it closed
    context.moveTo(x - 3, y - 3);
    context.lineTo(x + 3, y + 3);
    context.moveTo(x + 3, y - 3);
    context.lineTo(x - 3, y + 3);
  },
};

class Drawing {
  constructor(owner, parts) {
    this.owner = owner;
    this.parts = parts;
  }

  draw(target) {
    target.useMediaCoordinateSpace(({ context, mediaSize }) => {
      context.font = FONT;
      context.textBaseline = "middle";
      this[this.parts](context, mediaSize);
    });
  }

  /** Behind the candles. */
  under(context, size) {
    for (const [zone, place] of this.#placed(size)) this.#band(context, zone, place);
    for (const [level, y] of this.#levels(size)) this.#line(context, level, y, size.width);
  }

  /** Before them. */
  over(context, size) {
    for (const point of this.owner.points) this.#point(context, point);
    this.#zoneLabels(context, size);
    this.#levelLabels(context, size);
  }

  #placed(size) {
    return this.owner.zones.map((zone) => [zone, this.#place(zone, size)]).filter(([, place]) => place !== null);
  }

  #zoneLabels(context, size) {
    const taken = [];
    for (const [{ kind, side }, { middle }] of this.#placed(size)) { // nearest the price first: they get their label
      if (taken.some((y) => Math.abs(y - middle) < NEAR)) continue;
      taken.push(middle);
      const colour = this.owner.colours[side === "B" ? "buy" : "sell"];
      this.#label(context, `${kind} ${sides[side] ?? ""}`, size.width - 6, middle, colour, "right");
    }
  }

  #place(zone, size) {
    const { owner } = this;
    const top = owner.y(zone.high + owner.tick / 2);
    const bottom = owner.y(zone.low - owner.tick / 2);
    if (top === null || bottom === null || bottom < 0 || top > size.height) return null;
    const height = Math.max(3, bottom - top);
    const middle = (top + bottom) / 2;
    const left = Math.max(0, owner.x(Number(BigInt(zone.first_seen) / 1000000000n)) ?? 0);
    return { left, width: size.width - left, top: middle - height / 2, height, middle };
  }

  #band(context, zone, { left, width, top, height }) {
    const colour = this.owner.colours[zone.side === "B" ? "buy" : "sell"];
    context.strokeStyle = context.fillStyle = colour;
    context.lineWidth = 1;
    context.setLineDash(zone.kind === "memory" ? [4, 4] : []);
    context.globalAlpha = zone.kind === "iceberg" ? 0.3 : 0.1;
    if (zone.kind !== "memory") context.fillRect(left, top, width, height);
    context.globalAlpha = 0.65;
    if (zone.kind === "absorption") hatch(context, left, top, width, height);
    if (zone.kind !== "absorption") context.strokeRect(left + 0.5, top, width, height);
    context.setLineDash([]);
    context.globalAlpha = 1;
  }

  /** A small sign at the price where something happened. */
  #point(context, { kind, time, price, side }) {
    const [x, y] = [this.owner.x(time), this.owner.y(price)];
    if (x === null || y === null) return;
    const { buy, sell, dim } = this.owner.colours;
    context.fillStyle = context.strokeStyle = { B: buy, A: sell }[side] ?? dim;
    context.lineWidth = 1.5;
    context.beginPath();
    (shapes[kind] ?? shapes.grab)(context, x, y, side === "B" ? -1 : 1);
    if (kind === "signal") context.stroke();
    else context.fill();
  }

  #levels(size) {
    return this.owner.levels.map((level) => [level, this.owner.y(level.price)])
      .filter(([, y]) => y !== null && y >= 0 && y <= size.height);
  }

  /** Levels that are near each other share one label. */
  #levelLabels(context, size) {
    const groups = [];
    for (const [{ name, colour }, y] of this.#levels(size)) {
      const near = groups.find((group) => Math.abs(group.y - y) < NEAR);
      if (near) near.names.push(name);
      else groups.push({ y, names: [name], colour: this.owner.colours[colour] });
    }
    for (const { y, names, colour } of groups) this.#label(context, names.join(" · "), 6, y, colour, "left");
  }

  #line(context, level, y, width) {
    context.strokeStyle = this.owner.colours[level.colour];
    context.lineWidth = level.strong ? 2 : 1;
    context.globalAlpha = level.strong ? 0.9 : 0.55;
    context.setLineDash(level.strong ? [8, 4] : [2, 3]);
    context.beginPath();
    context.moveTo(0, y);
    context.lineTo(width, y);
    context.stroke();
    context.setLineDash([]);
    context.globalAlpha = 1;
  }

  #label(context, text, x, y, colour, align) {
    const width = context.measureText(text).width + 6;
    context.fillStyle = this.owner.colours.panel;
    context.globalAlpha = 0.85;
    context.fillRect(align === "left" ? x - 3 : x - width + 3, y - 7, width, 14);
    context.globalAlpha = 1;
    context.fillStyle = colour;
    context.textAlign = align;
    context.fillText(text, x, y + 0.5);
  }
}

/** A series primitive of the chart library. */
export class Bands {
  constructor() {
    this.zones = [];
    this.levels = [];
    this.points = [];
    this.tick = 0;
    this.step = 60;
    this.colours = {};
    const view = (order, drawing) => ({ zOrder: () => order, renderer: () => drawing });
    this.views = [view("bottom", new Drawing(this, "under")), view("top", new Drawing(this, "over"))];
  }

  attached({ chart, series, requestUpdate }) {
    this.chart = chart;
    this.series = series;
    this.request = requestUpdate;
  }

  paneViews() {
    return this.views;
  }

  y(price) {
    return this.series.priceToCoordinate(price);
  }

  /** Where the candle of this time stands; of a time before the first, the left edge. */
  x(seconds) {
    const scale = this.chart.timeScale();
    const index = scale.timeToIndex(seconds - (seconds % this.step), true);
    return index === null ? null : scale.logicalToCoordinate(index);
  }

  show(values) {
    Object.assign(this, values);
    this.request?.();
  }
}
