"""The top of the screen: what it is, the price, and how far it can be trusted."""

from __future__ import annotations

from ..board.frame import Frame, History
from . import numbers
from .look import Look
from .text import Line, Span, clip, line, padded, spread, width

# What must not be missed: the word for the badge, and what it means.
QUALITIES = {
    "simulated": ("SIMULATED", "not a real market, for trying out only"),
    "delayed": ("DELAYED", "the prices are minutes old"),
    "cached": ("CACHED", "the prices were fetched before"),
    "stale": ("STALE", "the prices are old"),
    "replay": ("REPLAY", "recorded data, not the market of now"),
    "warmup": ("WARM-UP", "history that makes the engines ready, no signals yet"),
    "doubtful": ("DOUBTFUL", "the prices may be wrong"),
}
STATES = {
    "starting": ("STARTING", "waiting for the first packet"),
    "stale": ("STALE", "nothing comes: do not trade on this"),
    "ended": ("ENDED", "the input is over"),
    "failed": ("FAILED", "the feed is down: do not trade on this"),
}
NARROW = 72          # columns below which the quote stands in the second line, instead of date and session
OLD = 5              # s, an age that is not to be overlooked


def warnings(frame: Frame) -> list[tuple[str, str]]:
    """Words for all that keeps this from being the market of now, the worst first, each with what it means."""
    feed, found = frame.feed, []
    if feed.state in STATES:
        word, meaning = STATES[feed.state]
        found.append((word, feed.detail or meaning))
    qualities = (frame.market.quality if frame.market else None, feed.quality)
    found += [QUALITIES[quality] for quality in dict.fromkeys(qualities) if quality in QUALITIES]
    if frame.health is not None and frame.health.trading is False:
        found.append(("HALTED", "the venue says that there is no trading"))
    first: dict[str, str] = {}
    for word, meaning in found:
        first.setdefault(word, meaning)
    return list(first.items())


def badges(frame: Frame, look: Look) -> Line:
    """The words of the warnings, in inverse video where there is such a thing."""
    shape = " {} " if look.escapes else "[{}]"
    return line(*(Span(shape.format(word), "alarm") for word, _ in warnings(frame)))


def banner(frame: Frame, columns: int, look: Look, paused: str | None = None) -> Line:
    """A bar over the whole width that says what the badges mean; a thin rule where nothing is wrong."""
    said = [f"{word}: {meaning}" for word, meaning in warnings(frame)]
    if paused is not None:
        said.insert(0, f"PAUSED at {paused}, the market goes on; space resumes")
    if not said:
        return line(Span(look.glyphs.rule * columns, "dim"))
    words = [text.partition(":")[0] for text in said]
    ways = ("; ".join((*said[:full], *words[full:])) for full in range(len(said), 0, -1))
    cut = "".join(span.text for span in clip(line(said[0]), columns - 8, look.glyphs.more))
    shown = next((way for way in ways if len(way) + 8 <= columns), cut)
    text = f" {shown} " if look.escapes else f"*** {shown} ***"
    return line(*(Span(span.text, "alarm") for span in padded(line(text), columns)))


def price_of(frame: Frame, history: History | None, look: Look) -> Line:
    """The price, with an arrow and the change since the close of the candle before."""
    price, tick = known_price(frame)
    if frame.ts is None:
        return ()
    if price is None:
        return line(Span("no price", "bold"))
    text, before = numbers.price(price, tick), close_before(history)
    if before is None:
        return line(Span(text, "bold"))
    change = round(price - before, 6)
    glyphs = look.glyphs
    arrow, style = ((glyphs.rise, "bold buy") if change > 0 else (glyphs.fall, "bold sell") if change < 0
                    else (glyphs.flat, "bold"))
    return line(Span(f"{text} {arrow}", style), Span(f" {numbers.signed(change)}", style.removeprefix("bold ")))


def known_price(frame: Frame) -> tuple[float | None, float | None]:
    """The price and the tick; of the signal where it is all there is."""
    if frame.market is not None:
        return frame.market.price, frame.market.tick
    return (None if frame.signal is None else frame.signal.current_price), None


def close_before(history: History | None) -> float | None:
    """The last close before the newest candle."""
    if history is None:
        return None
    return next((candle.close for candle in reversed(history.candles[:-1]) if candle.close is not None), None)


def quote(frame: Frame, room: int) -> Line:
    """Bid and ask with what is displayed there, and the spread where there is room."""
    market = frame.market
    if market is None:
        return ()
    if market.bid is None and market.ask is None:
        return line(Span("no quote", "dim"))
    sides = [
        Span(f"{numbers.price(value, market.tick)}{'' if size is None else f'x{numbers.count(size)}'}", style)
        for value, size, style in ((market.bid, market.bid_size, "buy"), (market.ask, market.ask_size, "sell"))
    ]
    touch = line(Span("bid ", "dim"), sides[0], Span("  ask ", "dim"), sides[1])
    wide = "" if market.spread is None else f"  spread {numbers.price(market.spread, market.tick)}"
    return (*touch, Span(wide, "dim")) if width(touch) + len(wide) <= room else touch


def name(frame: Frame) -> Line:
    """The series, and the contract behind it."""
    symbol = f" {frame.symbol}" if frame.symbol not in (None, frame.series) else ""
    return line(Span(frame.series or "qmo", "bold"), symbol)


def session(frame: Frame) -> str:
    """Which session it is, and when it ends."""
    found = frame.session
    if found is None:
        return (frame.signal.market_context.session or "") if frame.signal and frame.market is None else ""
    if found.open is False:
        return "market closed" + (f", opens {found.opens}" if found.opens else "")
    left = found.minutes_to_close
    early = "early close" if getattr(found, "early_close", False) else "closes"
    return f"{found.name or 'session'}" + ("" if left is None else f", {early} in {numbers.span(left)}")


def trust(frame: Frame) -> str:
    """What the data is, and what is wrong with its book."""
    health, feed = frame.health, frame.feed
    if health is None:
        return feed.access or ""
    crossed = " CROSSED" if health.crossed else ""
    book = {"partial": " book PARTIAL"}.get(health.book or "", "")
    flags = f" {' '.join(health.flags)}" if health.flags else ""
    return f"{health.access}{book}{crossed}{flags}"


def header(frame: Frame, history: History | None, columns: int, look: Look) -> list[Line]:
    """The two lines at the top; the badges always have their room."""
    gap = "  "
    first, when = line(*name(frame), gap, *price_of(frame, history, look)), (frame.timestamp or "").replace("T", " ")
    marked = badges(frame, look)
    if columns < NARROW:
        second = line(*quote(frame, columns - 22), Span(f"{gap}{when[11:19]}", "dim"))
    else:
        first = line(*first, gap, *quote(frame, columns - width(marked) - width(first) - 3))
        second = line(Span(gap.join(part for part in (when, session(frame), trust(frame)) if part), "dim"))
    heard = "" if frame.feed.age is None else f"age {numbers.age(frame.feed.age)}"
    late = frame.feed.age is not None and frame.feed.age >= OLD
    return [
        spread(first, marked, columns, look.glyphs.more),
        spread(second, line(Span(heard, "alarm" if late else "dim")), columns, look.glyphs.more),
    ]
