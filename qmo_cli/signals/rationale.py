# cython: language_level=3, auto_pickle=False
"""Sentences that say why. Every number in them is in the packet."""

from __future__ import annotations

from msgspec import Struct

from qmo_cli.rounding import number
from qmo_cli.signals.context import Scene
from qmo_cli.signals.near import Around
from qmo_cli.tray import Packet
from qmo_cli.views import AbsorptionView, AstroView, CycleView, GannView, LiquidityView, ZoneView, reason


class RationaleBy(Struct, frozen=True, gc=False):
    """One sentence per kind of evidence; null with a reason where there is none."""

    iceberg_activity: str | None
    orderflow: str | None
    technical: str | None
    timing: str | None


_PLACE = {name: f"signal.rationale_by.{name}" for name in RationaleBy.__struct_fields__}


def rationale(scene: Scene) -> tuple[list[str], RationaleBy]:
    """All sentences, the story of liquidity the last, and those by kind; reasons of null ones go into ``lost``."""
    said = (_icebergs(scene), _orderflow(scene), _technical(scene), _timing(scene))
    liquidity = scene.packet.read("liquidity", LiquidityView)
    story = None if liquidity is None else liquidity.narrative
    return [sentence for sentence in (*said, story) if sentence is not None], RationaleBy(*said)


def _icebergs(scene: Scene) -> str | None:
    """Icebergs, and absorption where it speaks."""
    said = "; ".join([part for part in (_iceberg_zones(scene), _absorption(scene)) if part is not None])
    if said:
        return said
    why = reason(scene.packet, "iceberg") if scene.iceberg is None else "no live iceberg zone"
    scene.lost[_PLACE["iceberg_activity"]] = why
    return None


def _absorption(scene: Scene) -> str | None:
    reading = scene.packet.read("absorption", AbsorptionView)
    if reading is None or not reading.active or reading.activity_level is None:
        return None
    return f"Absorption {absorption_words(reading)}"


def absorption_words(reading: AbsorptionView) -> str:
    """How much is absorbed lately, and what was last."""
    last = reading.last
    newest = "" if last is None else (
        f", {last.absorbed} {'sold into bids' if last.side == 'B' else 'bought from asks'} at {number(last.price)}")
    return f"{reading.activity_level or 'not known'}{newest}"


def _iceberg_zones(scene: Scene) -> str | None:
    zones = scene.zones
    around: Around = scene.around
    if scene.iceberg is None or not zones.zones:
        return None
    said, made_of = around.said, (around.nearest, around.inside and scene.packet.price)
    if said is None or said[0] is not zones or said[1] != made_of:
        places = _places(around.nearest, scene.packet.price)
        said = around.said = (zones, made_of, "; ".join([f"Iceberg zones live: {len(zones.zones)}", *places]))
    return said[2]


def _places(nearest: tuple[ZoneView | None, ZoneView | None], price: float | None) -> list[str]:
    """Where the nearest zones are, seen from the price."""
    sides = zip(("below", "above"), nearest, strict=True)
    return [
        f"{'at' if price is not None and zone.low <= price <= zone.high else where} the price {_zone(zone)}"
        for where, zone in sides if zone
    ]


def _zone(zone: ZoneView) -> str:
    side = "bids" if zone.side == "B" else "asks"
    span = number(zone.low) if zone.low == zone.high else f"{number(zone.low)} to {number(zone.high)}"
    return f"a zone of {side} at {span}, {zone.state}"


def _orderflow(scene: Scene) -> str | None:
    flow = scene.flow
    if flow is None or flow.bias is None or flow.delta is None:
        scene.lost[_PLACE["orderflow"]] = (
            reason(scene.packet, "orderflow") if flow is None else scene.why("orderflow.bias", "no bias or delta"))
        return None
    cvd = "" if flow.cvd is None else f", CVD {flow.cvd:+d}"
    heat = "" if flow.heat is None else f", heat {number(flow.heat)} of 100"
    return f"Orderflow {flow.bias}: delta {flow.delta:+d}{cvd}{heat}"


def _technical(scene: Scene) -> str | None:
    gann = scene.packet.read("gann", GannView)
    if gann is None or gann.score is None or gann.signal is None:
        scene.lost[_PLACE["technical"]] = reason(scene.packet, "gann")
        return None
    return f"Gann: {gann_words(gann)}"


def gann_words(gann: GannView) -> str:
    """What Gann's levels say: the one at the price, and how many kinds of them meet there."""
    if not gann.active:
        return "no level at the price"
    level, met = gann.nearest, gann.confluence
    at = "" if level is None else f" at {number(level.price)} ({level.name})"
    families = "" if met is None else f", {met} {'family' if met == 1 else 'families'} of levels"
    signal = "level" if gann.signal in (None, "none") else gann.signal.replace("_", " ")
    return f"{signal}{at}{families}"


def _timing(scene: Scene) -> str | None:
    packet: Packet = scene.packet
    if "astro" not in packet.slots and "cycle" not in packet.slots:
        scene.lost[_PLACE["timing"]] = "needs engine astro or cycle"
        return None
    astro, cycle = packet.read("astro", AstroView), packet.read("cycle", CycleView)
    parts = []
    if astro is not None and astro.reversal_window is not None:
        parts.append("astro reversal window open" if astro.reversal_window else "no astro reversal window")
    if cycle is not None and cycle.score is not None:
        parts.append(cycle_words(cycle))
    if not parts:
        why = f"astro: {reason(packet, 'astro')}; cycle: {reason(packet, 'cycle')}"
        scene.lost[_PLACE["timing"]] = why
        return None
    return f"Timing: {', '.join(parts)}"


def cycle_words(cycle: CycleView) -> str:
    """Which bar counts are due."""
    due = [name for name, flag in (("21", cycle.is_21), ("45", cycle.is_45), ("90", cycle.is_90)) if flag]
    return f"at the {' and '.join(due)}-bar count" if due else "no bar count due"
