"""The mentor's sentences: what each slot says, for a trader, and what of it speaks against any trade."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from ...rounding import number
from ...times import UNITS, iso
from ...views import RiskView
from .pattern import Pattern
from .reading import MentorZone
from .slots import BlackoutHere, MemoryHere, NewsHere, SessionHere, ZoneRemembered

MINUTE = UNITS["m"]
SOON = 60              # minutes within which the next event is worth a note
HEADLINES = 3          # that become notes

Place = Literal["above", "here", "below"]
PLACES: tuple[Place, ...] = ("above", "here", "below")
Sentences = tuple[str, ...]


class Said(NamedTuple):
    """What one slot comes to: a leaf of the reading, notes, and a veto."""

    value: Any
    notes: Sentences = ()
    veto: str | None = None


ABOUT: dict[Pattern, str] = {
    Pattern("trend", "up"): "Trend up: buyers led by a fifth of five minutes' volume or more, and price rose half an "
                            "ATR or more.",
    Pattern("trend", "down"): "Trend down: sellers led by a fifth of five minutes' volume or more, and price fell half "
                              "an ATR or more.",
    Pattern("balance", None): "Balance: for five minutes neither side led by a tenth of the volume, in a range below "
                              "half an ATR.",
    Pattern("exhaustion", "up"): "Exhaustion at a high: a new high of 15 minutes on less than half the flow of the one "
                                 "before.",
    Pattern("exhaustion", "down"): "Exhaustion at a low: a new low of 15 minutes on less than half the flow of the one "
                                   "before.",
    Pattern("trapped", "up"): "Trapped at a high: the heaviest trading of five minutes was within 3 ticks of the high, "
                              "and price is a quarter of an ATR or more below it.",
    Pattern("trapped", "down"): "Trapped at a low: the heaviest trading of five minutes was within 3 ticks of the low, "
                                "and price is a quarter of an ATR or more above it.",
}


def of_session(here: SessionHere) -> Said:
    """The session in words."""
    edge = "first 15 minutes" if here.first_15 else "last 15 minutes" if here.last_15 else ""
    early = "early close" if here.early_close else ""
    words = ", ".join(filter(None, (here.name, edge, early)))
    if not here.open:
        return Said(words, (f"The market is closed; the trade date is {here.trade_date}.",))
    return Said(words, (f"Session {words}; the trade date is {here.trade_date}.",))


def near_zones(memory: MemoryHere, price: float, reach: float) -> dict[Place, ZoneRemembered]:
    """The nearest remembered zones above, here and below, of those in reach; they come nearest first."""
    found: dict[Place, ZoneRemembered] = {}
    for zone in memory.zones or ():
        low, high = zone.low, zone.high
        if low > price:
            if "above" not in found and low - price <= reach:
                found["above"] = zone
        elif high < price:
            if "below" not in found and price - high <= reach:
                found["below"] = zone
        elif "here" not in found:
            found["here"] = zone
    return found


def of_zones(near: dict[Place, ZoneRemembered]) -> Said:
    """Zones near the price, from above."""
    zones = [
        MentorZone(zone.id, zone.side, zone.low, zone.high, zone.state, place, zone.retests, zone.holds)
        for place in PLACES if (zone := near.get(place)) is not None
    ]
    return Said(zones, tuple(map(about_zone, zones)))


def about_zone(zone: MentorZone) -> str:
    """A remembered zone in a sentence."""
    side = "buyers" if zone.side == "B" else "sellers"
    where = "At the price" if zone.place == "here" else f"{zone.place.capitalize()} the price"
    record = f"it held {zone.holds} of {zone.retests} retests" if zone.retests else "no retest was decided yet"
    return f"{where}: {side} hid size from {number(zone.low)} to {number(zone.high)} ({zone.state}); {record}."


def minutes_away(ts: int, now: int) -> tuple[bool, int]:
    """Whether a time is ahead, and how many whole minutes are between."""
    return ts > now, abs(ts - now) // MINUTE


def of_news(news: NewsHere, away: tuple[bool, int] | None) -> Said:
    """Blackout, what comes soon, what events of the kind did, and the headlines."""
    notes = []
    veto = None
    if news.during is not None and away is not None:
        veto = about_blackout(news.during, *away)
    soon = news.next is not None and news.next.minutes < SOON
    if news.next is not None and soon and (news.during is None or news.during.ts_event != news.next.ts_event):
        notes.append(f"{news.next.headline} comes in {minutes(news.next.minutes)}.")
    past = news.correlation
    if past is not None and (soon or veto):
        notes.append(
            f"After the last {past.n} of the kind {past.kind!r} in this input price moved {number(past.size_after)} "
            f"points in 15 minutes on average; it was higher after {past.up}.")
    notes += [f"Today, without a time: {headline}." for headline in news.all_day]
    for one in news.latest[:HEADLINES]:
        source = f" ({one.source})" if one.source else ""
        notes.append(f"Headline of {iso(int(one.ts_event))}{source}: {one.headline}")
    return Said(news.blackout, tuple(notes), veto)


def about_blackout(during: BlackoutHere, ahead: bool, count: int) -> str:
    """Why nobody should trade now."""
    when = f"in {minutes(count)}" if ahead else f"{minutes(count)} ago"
    return f"news blackout until {iso(int(during.until))}: {during.headline} {when}"


def minutes(count: int) -> str:
    """Whole minutes in words."""
    return "1 minute" if count == 1 else f"{count} minutes"


def of_risk(risk: RiskView) -> Said:
    """What the capital protection allows."""
    if not risk.allowed:
        return Said(False, (), "capital protection: " + ("; ".join(risk.reasons) or "it allows no trade"))
    if risk.size_factor < 1:
        return Said(True, (f"Capital protection leaves {risk.size_factor:.0%} of the risk per trade.",))
    return Said(True)
