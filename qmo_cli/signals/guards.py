"""What speaks against a trade that the score wants: the surroundings, capital protection, and the displayed book."""

from __future__ import annotations

from ..blocks import PRICE_SCALE
from ..packets import Side
from ..rounding import number, to_six
from ..sessions import Session
from ..times import UNITS
from ..tray import Packet
from ..views import DisplayedView, InputsView, MentorView, NewsView, RiskView, reason
from .sizing import Size, Trade
from .slippage import expected_slippage, queue_ahead

MINUTE = UNITS["m"]


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


def displayed(packet: Packet) -> DisplayedView | None:
    """The displayed book."""
    inputs = packet.read("inputs", InputsView)
    return None if inputs is None else inputs.depth


def queue(packet: Packet, trade: Trade, sized: Size, root: str) -> int | None:
    """Contracts that would be filled before a limit order of this trade; None where that is not known."""
    depth = displayed(packet)
    if depth is None or sized.spec.root != root:
        return None
    side: Side = "B" if trade.direction == "BUY" else "A"
    return queue_ahead(depth.bids if side == "B" else depth.asks, side, sized.at.limit / PRICE_SCALE)


def slippage(packet: Packet, trade: Trade, sized: Size, root: str) -> tuple[float | None, str]:
    """Expected slippage of a sized trade in ticks; or None and the reason."""
    depth = displayed(packet)
    if depth is None:
        return None, packet.missing.get("inputs.depth", "no displayed depth")
    if sized.spec.root != root:
        return None, f"the displayed depth is of {root}, not of {sized.spec.root}"
    if not sized.contracts or sized.spec.tick is None:
        return None, "nothing to trade"
    levels = depth.asks if trade.direction == "BUY" else depth.bids
    found = expected_slippage(levels, sized.contracts, sized.spec.tick)
    return None if found is None else to_six(found), f"the displayed levels hold less than {sized.contracts} contracts"
