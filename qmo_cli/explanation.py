"""One packet for a person: what each pillar says and adds, what speaks against a trade, and what is not known."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from msgspec import Raw

from .errors import BadData
from .live_zones import LiveZones
from .packets import Health, Market, Notice
from .rounding import number
from .score import BUY_ABOVE, MICRO, MIN_ACTIVE, MIN_COVERAGE, PARTS, PILLARS, SELL_BELOW, Score
from .signals import Signal
from .signals.rationale import absorption_words, cycle_words, gann_words
from .signals.sizing import Entry, Position
from .times import iso
from .tray import Packet, decode_slot
from .views import (
    AbsorptionView,
    AstroView,
    GannView,
    IcebergView,
    LiquidityView,
    MentorView,
    OrderflowView,
    ZoneView,
    reason,
)

WIDTH = 80
NAME, SCORE, WEIGHT, PULL = 14, 7, 8, 9    # columns of the table of pillars; the rest is words
WORDS = WIDTH - NAME - SCORE - WEIGHT - PULL
PILLAR_OF = {"orderflow": "qmo", "liquidity": "qmo", "iceberg": "imo", "absorption": "imo"}


def explain(packet: Packet) -> str:
    """The explanation, in lines of at most 80 columns. Raises BadData when the packet was not scored."""
    score = packet.read("score", Score)
    if score is None:
        raise BadData("this packet has no score; put `qmo engine all | qmo score` before `qmo explain`")
    signal = packet.read("signal", Signal)
    parts = [head(packet), verdict(score, signal), pillars(packet, score), sums(score)]
    if signal is not None:
        parts.append(trade(signal))
    parts += [against(score, signal), notes(packet), trust(packet), unknown(packet)]
    return "\n\n".join("\n".join(map(fitted, part)) for part in parts if part) + "\n"


def fitted(line: str) -> str:
    """A line that is no wider than the screen, or several."""
    return line if len(line) <= WIDTH else textwrap.fill(line, WIDTH, subsequent_indent="  ", break_on_hyphens=False)


def head(packet: Packet) -> list[str]:
    """Which packet it is, and the price."""
    market: Market = packet.market
    name = packet.series if packet.symbol in (None, packet.series) else f"{packet.series} ({packet.symbol})"
    opened = "" if packet.closed else ", frame still open"
    price = "no price" if packet.price is None else f"{number(packet.price)} ({market.price_basis})"
    quote = "" if market.bid is None or market.ask is None else f", {number(market.bid)} / {number(market.ask)}"
    return [f"{name}  {iso(packet.ts)}{opened}", f"price {price}{quote}; {market.quality}, {market.source}"]


def verdict(score: Score, signal: Signal | None) -> list[str]:
    """The decision in a line or two."""
    if signal is None:
        return [f"{score.signal}, by the score alone (no `qmo signal` has decided yet)"]
    decision, status = signal.signal, signal.status.replace("_", " ")
    since = "" if decision.since is None else f" since {decision.since}"
    sure = "" if decision.confidence is None else f", confidence {decision.confidence:.3f} (agreement)"
    return [f"{decision.type}{since} ({status}){sure}"]


def pillars(packet: Packet, score: Score) -> list[str]:
    """The table of pillars, each with its parts."""
    rows = [row("", "score", "weight", "adds", "says"), row(*("-" * (width - 2) for width in (
        NAME, SCORE, WEIGHT, PULL, WORDS + 2)))]
    for pillar in PILLARS:
        parts = [name for name, _ in PARTS if PILLAR_OF.get(name, name) == pillar]
        alone = parts == [pillar]
        value = getattr(score, pillar)
        pull = score.contributions.get(pillar)
        rows += [*wrapped(
            pillar, said(value), number(score.weights[pillar]), "" if pull is None else f"{pull:+.5f}",
            part_words(packet, pillar) if alone else "" if value is not None else "not known")]
        for name in [] if alone else parts:
            view = packet.read(name, dict(PARTS)[name])
            rows += [*wrapped(f"  {name}", said(None if view is None else view.score), "", "",
                              part_words(packet, name))]
    return rows


def row(*cells: str) -> str:
    """One line of the table."""
    widths = (NAME, SCORE, WEIGHT, PULL)
    return ("".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=False)) + cells[-1]).rstrip()


def wrapped(*cells: str) -> Iterator[str]:
    """A line of the table, and as many more as its words need."""
    first, *more = textwrap.wrap(cells[-1], WORDS) or [""]
    yield row(*cells[:-1], first)
    yield from (row("", "", "", "", words) for words in more)


def said(value: float | None) -> str:
    """A score, or a dash."""
    return "-" if value is None else f"{value:.3f}"


def part_words(packet: Packet, name: str) -> str:
    """What one engine says, or why it does not."""
    view = packet.read(name, dict(PARTS)[name])
    if view is None or view.score is None:
        return f"not known: {reason(packet, name)}"
    words: str = SAYS[name](view)
    return words if view.active else f"silent; {words}" if words else "silent"


def sums(score: Score) -> list[str]:
    """How the total came about, and what it had to pass."""
    if score.base is None or score.total is None:
        return ["total: not known, no pillar is"]
    zones, gann = score.boosts.iceberg_zones, score.boosts.gann_confluence
    boosts = [f"{value:+g} {name}" for value, name in ((zones, "iceberg zones"), (gann, "gann confluence")) if value]
    capped = "" if abs(score.base + zones + gann - score.total) < 1 / MICRO else ", capped"
    return [
        f"base {score.base:.4f}{''.join(f', {boost}' for boost in boosts)} = total {score.total:.4f}{capped}"
        f" (BUY > {BUY_ABOVE / MICRO:g}, SELL < {SELL_BELOW / MICRO:g})",
        f"known {number(score.coverage)} of the weight (at least {MIN_COVERAGE / MICRO:g}), "
        f"active {number(score.active_weight)} (at least {MIN_ACTIVE / MICRO:g}); phase {score.phase}",
    ]


def trade(signal: Signal) -> list[str]:
    """Entry and size."""
    entry, position = signal.entry, signal.position
    if entry is None or position is None:
        return []
    return [*entered(entry), *sized(position)]


def entered(entry: Entry) -> list[str]:
    """Where in, where out."""
    at = "at the market" if entry.limit_price is None else f"limit {number(entry.limit_price)}"
    stop_atr = "" if entry.stop_atr is None else f" ({number(entry.stop_atr)} ATR)"
    return [f"entry {at}, stop {number(entry.stop)}{stop_atr}, target {number(entry.target)}, {entry.risk_reward}"]


def sized(position: Position) -> list[str]:
    """How much."""
    if not position.contracts:
        return ["size 0"]
    costs = "" if position.costs_included else " before costs"
    capital = "not known" if position.capital_required is None else number(position.capital_required)
    slip = "" if position.expected_slippage is None else f", slippage {number(position.expected_slippage)} ticks"
    return [f"size {position.contracts} {position.contract}: at most {number(position.max_loss)} lost{costs}, "
            f"margin {capital}{slip}"]


def against(score: Score, signal: Signal | None) -> list[str]:
    """Vetoes and doubts."""
    if signal is None:
        return listed("why not:", score.reasons)
    reasons = list(signal.reasons)
    if score.signal == "HOLD" != signal.signal.type:
        why = "; ".join(score.reasons) or f"total {score.total}"
        reasons.insert(0, f"the episode is still open, but the score would open none now: {why}")
    return listed("why not, or not more:", reasons)


def notes(packet: Packet) -> list[str]:
    """What the mentor remarks."""
    mentor = packet.read("mentor", MentorView)
    return [] if mentor is None else listed("mentor:", mentor.notes)


def trust(packet: Packet) -> list[str]:
    """What speaks against the data; nothing where all is well."""
    health: Health = packet.health
    doubts = [f"{count} {words}" for count, words in (
        (health.late, "records late"), (health.dropped, "records of poorer schemas left out"),
        (health.unknown or 0, "cancels or changes of unknown orders"), (health.remainder or 0, "contracts unexplained"),
    ) if count]
    doubts += ["the book is only partly known"] * (health.book == "partial")
    doubts += ["the book is crossed"] * (health.crossed is True)
    doubts += [f"flag {flag}" for flag in health.flags]
    system: list[Notice] = packet.read("system", list[Notice]) or []
    doubts += [f"{notice.kind}: {notice.detail}" for notice in system]
    return listed(f"data ({health.access}):", doubts)


def unknown(packet: Packet) -> list[str]:
    """What is null in the packet, and why; names with the same reason together."""
    by_reason: dict[str, list[str]] = {}
    for name, why in sorted(packet.missing.items()):
        if not name.startswith("score."):
            by_reason.setdefault(why, []).append(name)
    return listed("not known:", (f"{', '.join(names)}: {why}" for why, names in by_reason.items()))


def listed(title: str, items: Iterable[str]) -> list[str]:
    """A title and its items; nothing without items."""
    lines = [line for item in items for line in textwrap.wrap(
        item, WIDTH, initial_indent="  - ", subsequent_indent="    ", break_on_hyphens=False)]
    return [title, *lines] if lines else []


# --- what single engines say


def _orderflow(view: OrderflowView) -> str:
    heat = "" if view.heat is None else f", heat {view.heat:.0f} of 100"
    delta = "" if view.delta is None else f", delta {view.delta:+d}"
    return f"{view.bias or 'bias not known'}{delta}{heat}"


def _liquidity(view: LiquidityView) -> str:
    return view.narrative or ""


def _iceberg(view: IcebergView) -> str:
    zones: Any = view.zones
    if isinstance(zones, Raw):
        zones = decode_slot(zones, list[ZoneView])
    live = len(LiveZones(zones).zones)
    return f"{live} live zones" if live != 1 else "1 live zone"


def _absorption(view: AbsorptionView) -> str:
    return f"activity {absorption_words(view)}"


def _gann(view: GannView) -> str:
    return gann_words(view) if view.active else ""


def _astro(view: AstroView) -> str:
    return "reversal window open" if view.reversal_window else "no reversal window"


SAYS: dict[str, Callable[[Any], str]] = {
    "orderflow": _orderflow, "liquidity": _liquidity, "iceberg": _iceberg, "absorption": _absorption, "gann": _gann,
    "astro": _astro, "cycle": cycle_words,
}
