"""Counters for Prometheus, in its text format (0.0.4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..board import Board
from .stream import Publisher

STATES = ("starting", "live", "stale", "ended", "failed")
Labels = Mapping[str, str]
Sample = tuple[Labels, float]


@dataclass(slots=True)
class Metrics:
    """What the server knows of itself and of its feed."""

    board: Board
    publisher: Publisher
    version: str
    answered: Counter[tuple[str, str, int]] = field(default_factory=Counter)   # by method, path and status

    def text(self) -> str:
        """All of it now."""
        board, publisher, feed = self.board, self.publisher, self.board.feed()
        costs = board.costs()
        stages = {} if costs is None else costs.stages
        parts = [
            metric("qmo_info", "gauge", "What is running.", [({"version": self.version}, 1)]),
            metric("qmo_feed_up", "gauge", "1 while the feed is live.", [({}, feed.state == "live")]),
            metric("qmo_feed_state", "gauge", "1 for the state in which the feed is.",
                   [({"state": state}, feed.state == state) for state in STATES]),
            metric("qmo_packet_age_seconds", "gauge", "Seconds since the newest packet came.",
                   [] if feed.age is None else [({}, feed.age)]),
            metric("qmo_packets_total", "counter", "Packets so far.",
                   [({"series": name}, count) for name, count in board.seq().items()]),
            metric("qmo_feed_messages_total", "counter", "Messages of the feed itself: gaps, reconnects, rolls ...",
                   [({"series": name, "kind": kind}, count) for (name, kind), count in board.happened().items()]),
            metric("qmo_stage_seconds", "gauge", "Mean time of a stage or engine per packet, in the last minute.",
                   [({"stage": name}, us / 1e6) for name, us in stages.items()]),
            metric("qmo_clients", "gauge", "WebSocket clients now.", [({}, publisher.clients)]),
            metric("qmo_frames_made_total", "counter", "Frames made.", [({}, publisher.frames)]),
            metric("qmo_frames_sent_total", "counter", "Frames handed to clients.", [({}, publisher.sent)]),
            metric("qmo_frames_skipped_total", "counter", "Frames left out for slow clients.",
                   [({}, publisher.skipped)]),
            metric("qmo_http_requests_total", "counter", "Requests answered.",
                   [({"method": method, "path": path, "status": str(status)}, count)
                    for (method, path, status), count in sorted(self.answered.items())]),
        ]
        return "".join(parts)


def metric(name: str, kind: str, words: str, samples: Iterable[Sample]) -> str:
    """One metric with its samples; nothing where there are none.

    >>> print(metric("qmo_clients", "gauge", "Clients.", [({"a": 'x"y'}, 3)]), end="")
    # HELP qmo_clients Clients.
    # TYPE qmo_clients gauge
    qmo_clients{a="x\\"y"} 3
    """
    lines = [f"{name}{labelled(labels)} {value:.10g}\n" for labels, value in samples]
    return f"# HELP {name} {words}\n# TYPE {name} {kind}\n{''.join(lines)}" if lines else ""


def labelled(labels: Labels) -> str:
    """Labels as they stand behind a name."""
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{escaped(value)}"' for name, value in labels.items()) + "}"


def escaped(value: str) -> str:
    """A label's value, as the format wants it."""
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
