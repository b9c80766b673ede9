"""What alerts say. The first words are those that keep a trader from trading on it by mistake."""

from __future__ import annotations

from ..rounding import number
from ..times import SECOND, iso
from .alert import Alert, Message, Parcel
from .seen import EventSeen, SignalSeen
from .wanted import DATA, DECISION

LONGEST = 1500                           # characters of a text: receivers cut or refuse more
MOST = 300                               # of one part of it
SHOWN = 10                               # alerts that a summary shows
SIDES = {"B": "bid", "A": "ask"}
UNITS = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def message(parcel: Parcel, now: int, max_age: int) -> Message:
    """A parcel in words, as of ``now``: what was true then may be old by the time it goes out."""
    newest = parcel.newest
    labels = list(dict.fromkeys(alert.label for alert in parcel.alerts if alert.label))
    if parcel.held:
        head, body = f"SUMMARY of {parcel.count} held back, do not trade on it", summary(parcel)
    else:
        head, body = aged(newest, now, max_age), newest.words
    begin = ": ".join(filter(None, ("/".join(labels), head)))
    text = f"{begin}: {body}" if begin else body
    return Message(parcel, title(parcel, begin), fitted(text, LONGEST))


def aged(alert: Alert, now: int, max_age: int) -> str:
    """OLD, where an alert of live data goes out late; others say REPLAY or SIMULATED anyway."""
    age = now - alert.ts
    if alert.realm != "live" or age <= max_age:
        return ""
    return f"OLD ({span(age)}), do not trade on it" if alert.topic == DECISION else f"OLD ({span(age)})"


def title(parcel: Parcel, begin: str) -> str:
    """A headline of a few words."""
    newest = parcel.newest
    what = f"{parcel.count} alerts" if parcel.held else " ".join(filter(None, (newest.type, newest.kind)))
    return fitted(": ".join(filter(None, (begin, f"qmo {what} {newest.symbol or newest.series}"))), MOST)


def summary(parcel: Parcel) -> str:
    """What was held back, newest last, each with its time."""
    shown = chosen(parcel.alerts)
    left_out = parcel.count - len(shown)
    room = (LONGEST - MOST) // SHOWN
    lines = [f"[{clock(alert.ts)}] {labelled(alert, room)}" for alert in shown]
    more = [f"{left_out} not shown"] if left_out else []
    return f"({', '.join(parcel.reasons)}) " + "; ".join([*more, *lines])


def chosen(alerts: tuple[Alert, ...]) -> list[Alert]:
    """Those that a summary shows: the newest, but decisions and data trouble before events."""
    ranked = sorted(range(len(alerts)), key=lambda place: (weighty(alerts[place]), place))
    return [alerts[place] for place in sorted(ranked[-SHOWN:])]


def weighty(alert: Alert) -> bool:
    """Whether it is about a decision or the data, not about one event among many."""
    return alert.topic in (DECISION, DATA)


def labelled(alert: Alert, room: int) -> str:
    """An alert in a summary."""
    return fitted(f"{alert.label}: {alert.words}" if alert.label else alert.words, room)


def fitted(text: str, room: int) -> str:
    """The text on one line without control characters, cut where it is too long.

    >>> fitted("a\\nb\\x00c", 10), fitted("abcdef", 4)
    ('a b c', 'abc…')
    """
    clean = "".join(letter if letter.isprintable() else " " for letter in text)
    return clean if len(clean) <= room else clean[:room - 1] + "…"


def clock(ts: int) -> str:
    """Date and time of a moment, whole seconds.

    >>> clock(1791209519500000000)
    '2026-10-05 14:11:59 UTC'
    """
    whole: str = iso(ts // SECOND * SECOND)
    return whole.replace("T", " ").replace("Z", " UTC")


def span(nanoseconds: int) -> str:
    """A length of time in the largest unit of which it has two.

    >>> span(95 * SECOND), span(150 * SECOND), span(3 * 86_400 * SECOND)
    ('95 s', '2 min', '3 d')
    """
    seconds = abs(nanoseconds) // SECOND
    size, unit = next((pair for pair in UNITS if seconds >= 2 * pair[0]), UNITS[-1])
    return f"{seconds // size} {unit}"


def stamp(ts: int, series: str) -> str:
    """When and where, at the end of every text."""
    return f" [{clock(ts)}, {series}]"


def decided(seen: SignalSeen, kind: str, before: str | None, ts: int) -> str:
    """A decision that opened, turned, or ended."""
    name = seen.symbol or seen.series
    price = "price not known" if seen.current_price is None else f"at {number(seen.current_price)}"
    if kind == "closed":
        why = f": {seen.reasons[0]}" if seen.reasons else ""
        return fitted(f"{before or 'The decision'} is over, HOLD {name} {price}{why}", MOST) + stamp(ts, seen.series)
    turned = f", turned from {before}" if kind == "reversed" else ""
    sure = "" if seen.signal.confidence is None else f", agreement {seen.signal.confidence:.2f}"
    parts = [f"{seen.signal.type} {name} {price}{turned}{sure}", *orders(seen), *grounds(seen)]
    return "; ".join(parts) + stamp(ts, seen.series)


def orders(seen: SignalSeen) -> list[str]:
    """Entry, stop, target and size, and how long they hold; or why there is no size."""
    found = []
    if seen.entry is not None:
        limit = seen.entry.limit_price
        begin = "at market" if limit is None else f"limit {number(limit)}"
        found.append(f"{begin}, stop {number(seen.entry.stop)}, target {number(seen.entry.target)}")
    if seen.position is not None and seen.position.contracts:
        found.append(f"{seen.position.contracts} {seen.position.contract}")
    else:
        found.append(fitted(f"NO SIZE: {seen.reasons[0] if seen.reasons else seen.status.replace('_', ' ')}", MOST))
    if seen.signal.since is not None and seen.change is None:
        found.append(f"open since {seen.signal.since[:19].replace('T', ' ')} UTC")
    if seen.valid_until is not None:
        found.append(f"valid until {seen.valid_until[11:19]} UTC")
    return found


def grounds(seen: SignalSeen) -> list[str]:
    """The last sentence of the rationale: what the market just did."""
    return [fitted(seen.signal.rationale[-1], MOST)] if seen.signal.rationale else []


def happened(topic: str, seen: EventSeen, ts: int) -> str:
    """An engine's event."""
    level = seen.level or seen
    where = [SIDES.get(level.side or "", ""), "" if level.price is None else number(level.price)]
    if level.price is None and seen.low is not None and seen.high is not None:
        where.append(f"{number(seen.low)} to {number(seen.high)}")
    size = seen.total_filled if seen.total_filled is not None else seen.size
    taken = [] if size is None else [f"{size} contracts"]
    parts = [f"{topic} {seen.kind.replace('_', ' ')}", *where, seen.symbol or seen.series, *taken]
    return fitted(" ".join(filter(None, parts)), MOST) + stamp(ts, seen.series)
