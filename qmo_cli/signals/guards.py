"""What speaks against a trade that the score wants: the surroundings, capital protection, and the displayed book."""

from __future__ import annotations

from collections.abc import Sequence

from ..packets import Level
from ..rounding import number
from ..sessions import Session
from ..tray import Packet
from ..views import InputsView, MentorView, NewsView, RiskView, reason
from .sizing import Size, Trade

MINUTE = 60 * 10**9  # ns


def surroundings(packet: Packet) -> list[str]:
    """Why no trade should be made now, whatever the score says: the mentor's veto, or a scheduled event."""
    mentor = packet.read("mentor", MentorView)
    if mentor is not None:
        return [] if mentor.veto is None else [f"mentor: {mentor.veto}"]
    news = packet.read("news", NewsView)
    return ["news: a scheduled event is near"] if news is not None and news.blackout else []


def near_close(session: Session, ts: int, minutes: float) -> list[str]:
    """Whether the close is too near for a position to be opened."""
    left = (session.closes - ts) / MINUTE
    return [f"the market closes in {number(round(left, 1))} minutes"] if session.open and left < minutes else []


def protection(packet: Packet) -> tuple[list[str], RiskView | None]:
    """Why capital protection takes the size away, and what it knows of the account.

    A guard that cannot be evaluated protects: a reading that is there and null takes the size too.
    """
    if "risk" not in packet.slots:
        return [], None
    risk = packet.read("risk", RiskView)
    if risk is None:
        return [f"capital protection: {reason(packet, 'risk')}"], None
    if risk.allowed:
        return [], risk
    return [f"capital protection: {why}" for why in risk.reasons] or ["capital protection does not allow it"], risk


def expected_slippage(levels: Sequence[Level], size: int, tick: float) -> float | None:
    """Ticks that an order of this size would pay beyond the touch on average, walking the displayed levels.

    ``levels``: best first. None where they hold less than the size.

    >>> expected_slippage([Level(2567.7, 2, 1), Level(2567.8, 2, 1), Level(2568.0, 9, 2)], 5, 0.1)
    1.0
    """
    left, paid = size, 0.0
    for level in levels:
        taken = min(left, level.size)
        paid += taken * abs(level.price - levels[0].price)
        left -= taken
        if not left:
            return round(paid / size / tick, 6)
    return None


def slippage(packet: Packet, trade: Trade, sized: Size, root: str) -> tuple[float | None, str]:
    """Expected slippage of a sized trade in ticks; or None and the reason."""
    inputs = packet.read("inputs", InputsView)
    depth = None if inputs is None else inputs.depth
    if depth is None:
        return None, packet.missing.get("inputs.depth", "no displayed depth")
    if sized.spec.root != root:
        return None, f"the displayed depth is of {root}, not of {sized.spec.root}"
    if not sized.contracts or sized.spec.tick is None:
        return None, "nothing to trade"
    levels = depth.asks if trade.direction == "BUY" else depth.bids
    found = expected_slippage(levels, sized.contracts, sized.spec.tick)
    return found, f"the displayed levels hold less than {sized.contracts} contracts"
