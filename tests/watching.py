"""Frames and histories made by hand, as their contract has them, and a terminal that understands what is sent to it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from qmo_cli.board import Frame, History
from qmo_cli.score import PILLARS
from qmo_cli.watch.look import Look

SECOND = 1_000_000_000
NOON = 1_772_463_600                 # s, 2026-03-02 15:00 UTC
TEXT, PLAIN = Look(), Look(unicode=False)
COLOUR, MONO = Look(True, 256, True), Look(True, 0, True)
SGR = re.compile(r"\x1b\[[0-9;]*m")
Json = dict[str, Any]
FLOW: Json = {"bias": "BUY", "delta": 120, "volume": 231, "cvd": 2444, "anchor": None, "heat": 38.46, "vwap": 2567.13,
              "poc": 2567.2, "vah": None, "val": None}


def market(**changes: Any) -> Json:
    """Gold at 2567.5."""
    return {
        "price": 2567.5, "price_ts": str(NOON * SECOND), "price_basis": "trade", "bid": 2567.4, "ask": 2567.6,
        "bid_size": 5, "ask_size": 12345, "spread": 0.2, "volume": 3, "open": None, "high": None, "low": None,
        "close": None, "tick": 0.1, "point_value": 100.0, "source": "GLBX.MDP3", "quality": "real-time", **changes,
    }


def score(**changes: Any) -> Json:
    """A total that buys, with two pillars unknown."""
    return {
        "qmo": 0.9, "imo": 0.2, "gann": None, "astro": 0.5, "cycle": None, "base": 0.8, "total": 0.8, "signal": "BUY",
        "phase": "default", "weights": dict(zip(PILLARS, (0.25, 0.25, 0.2, 0.15, 0.15), strict=True)),
        "boosts": {"iceberg_zones": 0.0, "gann_confluence": 0.0}, "coverage": 0.65, "active_weight": 0.5,
        "contributions": {"qmo": 0.1, "imo": -0.075, "astro": 0.0}, "price_only": False, "reasons": [],
        "missing": {"gann": "6 of 14 true ranges", "cycle": "no bar of 15m has closed yet"}, **changes,
    }


def context() -> Json:
    """A signal's surroundings, of which nothing but the session is shown."""
    from qmo_cli.signals.context import MarketContext

    known = dict.fromkeys(MarketContext.__struct_fields__)
    return {**known, "session": "new york", "orderflow_bias": None, "quality": "real-time", "source": "GLBX.MDP3",
            "access": "mbo", "trade_date": "2026-03-02", "iceberg_zones": None}


def signal(kind: str = "BUY", status: str = "active", **changes: Any) -> Json:
    """A decision with its trade, unless it is to hold."""
    entry = {"price": 2567.5, "type": "limit", "limit_price": 2568.0, "target": 2569.0, "stop": 2566.6,
             "risk_reward": "1:2", "risk_reward_ratio": 2.0, "stop_atr": None}
    position = {
        "contract": "MGC", "contracts": 4, "capital_required": 9000.0, "margin_rate": 0.09, "margin_since": None,
        "max_loss": 420.0, "costs_included": False, "expected_slippage": None, "queue_ahead": None,
        "first_target": 2568.2, "trail_stop": True, "trail_distance": 10.0, "trail_rule": "half off"}
    said = {"type": kind, "confidence": 0.8, "score": 0.8, "probability": None, "since": "2026-03-02T14:58:07Z",
            "id": "ab", "price_only": False,
            "rationale": ["Iceberg zones live: 2", "Orderflow BUY: delta +120, CVD +2444"],
            "rationale_by": {"iceberg_activity": None, "orderflow": None, "technical": None, "timing": None}}
    hold = kind == "HOLD"
    return {
        "schema": "signal", "v": 1, "ts": str(NOON * SECOND), "series": "GC.v.0", "closed": True, "status": status,
        "timestamp": "2026-03-02T15:00:00Z", "symbol": "GCJ6", "current_price": 2567.5, "price_basis": "trade",
        "signal": said, "entry": None if hold else entry, "position": None if hold else position,
        "market_context": context(), "reasons": ["the score says so"] if hold else [], "valid_until": None,
        "invalidation": None, "change": None, "missing": {}, **changes,
    }


def zone(side: str, low: float, high: float, kind: str = "iceberg", **changes: Any) -> Json:
    """A zone that has stood for ten minutes."""
    known = None if kind == "memory" else 7.25
    return {"kind": kind, "id": f"{kind}{low}", "side": side, "low": low, "high": high, "state": "created",
            "weight": 40.0, "strength": known, "confidence": None, "first_seen": str((NOON - 600) * SECOND),
            "last_seen": str(NOON * SECOND), **changes}


def mark(kind: str, side: str, seconds: int, text: str = "something") -> Json:
    """Something that happened so many seconds before noon."""
    ts = str((NOON - seconds) * SECOND)
    return {"ts": ts, "kind": kind, "side": side, "price": 2567.5, "text": text, "id": f"{kind}{side}{ts}"}


def feed(state: str = "live", **changes: Any) -> Json:
    """How the feed stands."""
    return {"state": state, "detail": None, "age": 0.41, "served": "2026-03-02T15:00:00.120Z", "quality": "real-time",
            "source": "GLBX.MDP3", "access": "mbo", **changes}


def health(**changes: Any) -> Json:
    """A book without faults."""
    return {"access": "mbo", "book": "complete", "resting": 1, "unknown": 0, "crossed": False, "late": 0, "dropped": 0,
            "filled": 0, "remainder": 0, "flags": [], "trading": None, **changes}


def session(**changes: Any) -> Json:
    """New York, six hours before the close."""
    return {
        "name": "new york", "trade_date": "2026-03-02", "open": True, "first_15": False, "last_15": False,
        "closes": "2026-03-02T22:00:00Z", "opens": "2026-03-02T23:00:00Z", "early_close": False,
        "minutes_to_close": 420, "minutes_to_settlement": 210, "day_open": None, "day_high": None, "day_low": None,
        "prior_day_high": None, "prior_day_low": None, "prior_day_close": None, "overnight_high": None,
        "overnight_low": None, "days_to_first_notice": 28, "notes": [], **changes}


def frame(**changes: Any) -> Frame:
    """All that a screen can show; ``changes`` replace parts of it."""
    known = {
        "schema": "frame", "v": 1, "seq": 1234, "ts": str(NOON * SECOND), "timestamp": "2026-03-02T15:00:00Z",
        "series": "GC.v.0", "symbol": "GCJ6", "all_series": ["GC.v.0"], "feed": feed(), "market": market(),
        "health": health(), "session": session(), "flow": FLOW,
        "zones": [zone("B", 2566.9, 2567.1), zone("A", 2568.1, 2568.1, "absorption")], "score": score(),
        "signal": signal(), "candles": {}, "marks": [mark("sweep", "A", 200, "24 swept down 2567.9 to 2567.4"),
                                                     mark("signal", "B", 113, "BUY 0.80 stop 2566.6, target 2569")],
        "latency": None, "system": [{"ts": str((NOON - 300) * SECOND), "kind": "reconnect", "detail": "back again"}],
        "missing": {}, **changes}
    return msgspec.convert(known, Frame)


def history(
    prices: Sequence[tuple[float, float, float, float] | None] | None = None, step: int = 60, **more: Any,
) -> History:
    """Candles up to noon: up, down, nothing, a doji, and up again, unless others are given."""
    shown = prices or [(2566.5, 2567.1, 2566.3, 2567.0), (2567.0, 2567.9, 2566.9, 2567.2), None,
                       (2567.2, 2567.4, 2567.0, 2567.2), (2567.2, 2567.7, 2567.1, 2567.5)]
    start = NOON - step * len(shown)
    rows = [[start + step * place, *(candle or (None,) * 4), 5 + place, 3, 0, 100 * place, 0.5]
            for place, candle in enumerate(shown)]
    known = {"schema": "history", "v": 1, "series": "GC.v.0", "step": step, "candles": rows, "marks": [], **more}
    return msgspec.convert(known, History)


def bare(text: str) -> str:
    """The text without colours and attributes."""
    return SGR.sub("", text)


class Emulator:
    """A terminal of a size: knows the few sequences that the screen uses, and fails on any other."""

    SEQUENCE = re.compile(r"\x1b\[(\?[0-9]+[hl]|[0-9;]*[HJmK])")

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self.other = False               # whether the other screen is shown
        self.cursor = True
        self.wrap = True
        self.rest = ""
        self.clear()
        self.hidden = self.cells, self.at        # the screen that is not shown, and its cursor

    def clear(self) -> None:
        """Empty the screen."""
        self.cells = [[" "] * self.columns for _ in range(self.rows)]
        self.at = [0, 0]

    def feed(self, text: str) -> None:
        """Do what is sent; a sequence that is cut is gone on with next time."""
        text, place = self.rest + text, 0
        self.rest = ""
        while place < len(text):
            if text[place] == "\x1b":
                match = self.SEQUENCE.match(text, place)
                if match is None and re.fullmatch(r"\x1b(\[[?0-9;]*)?", text[place:]):
                    self.rest = text[place:]
                    return
                assert match, f"unknown sequence: {text[place:place + 12]!r}"
                self.obey(match[1])
                place = match.end()
            else:
                self.put(text[place])
                place += 1

    def obey(self, sequence: str) -> None:
        """One control sequence."""
        if sequence.startswith("?"):
            name = {"?1049": "other", "?25": "cursor", "?7": "wrap", "?2026": "sync"}[sequence[:-1]]
            if name == "other" and self.other != sequence.endswith("h"):
                shown = self.cells, self.at
                self.clear()
                if self.other:
                    self.cells, self.at = self.hidden
                self.hidden = shown
            setattr(self, name, sequence.endswith("h"))
        elif sequence.endswith("H"):
            self.at = [int(number) - 1 for number in (sequence[:-1] or "1;1").split(";")]
        elif sequence == "2J":
            self.cells = [[" "] * self.columns for _ in range(self.rows)]

    def put(self, character: str) -> None:
        """One character at the cursor."""
        if character == "\r":
            self.at[1] = 0
        elif character == "\n":
            self.at[0] += 1
            if self.at[0] >= self.rows:
                self.at[0] = self.rows - 1
                self.cells = [*self.cells[1:], [" "] * self.columns]
        elif self.at[0] < self.rows:
            assert character.isprintable()
            self.cells[self.at[0]][min(self.at[1], self.columns - 1)] = character
            self.at[1] += 1

    def shown(self) -> str:
        """The screen as text."""
        return "\n".join("".join(row).rstrip() for row in self.cells)


