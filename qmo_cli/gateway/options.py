"""What a gateway can be told."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..errors import UsageError
from .faults import Fault

LOOPBACK = "127.0.0.1"
PORT = 13_000            # the vendor's


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayOptions:
    """How the gateway serves its source."""

    host: str = field(default=LOOPBACK, metadata={
        "help": "Address to listen at. Another than this machine's own lets others connect.", "metavar": "ADDRESS"})
    port: int = field(default=PORT, metadata={
        "help": "Port to listen at; 0 takes a free one.", "metavar": "PORT"})
    speed: float = field(default=1.0, metadata={
        "help": "Pace of market time: 1 is real time, 0 as fast as the client reads.", "metavar": "FACTOR"})
    shift_to_now: bool = field(default=False, metadata={
        "help": "Move all times by one constant, so that the first record happens now."})
    unentitled: tuple[str, ...] = field(default=(), metadata={
        "help": "Refuse this schema, as the vendor does without the plan for it; may be given several times.",
        "metavar": "SCHEMA"})
    heartbeat: float | None = field(default=None, metadata={
        "help": "Seconds of silence before a heartbeat, whatever the client asks for.", "metavar": "SECONDS"})
    replay_limit: float | None = field(default=None, metadata={
        "help": "How many hours back a client may start; 24 unless given, for mbo and definition 168.",
        "metavar": "HOURS"})
    history: float = field(default=0.0, metadata={
        "help": "How many minutes of the source have passed already when the first client starts.",
        "metavar": "MINUTES"})
    end: str = field(default="wait", metadata={
        "help": "At the source's end: stay connected with heartbeats, or close (fin)."})
    exit_at_end: bool = field(default=False, metadata={
        "help": "End once every client has the whole source."})
    seconds: float | None = field(default=None, metadata={
        "help": "End after so many seconds.", "metavar": "SECONDS"})
    max_sessions: int | None = field(default=None, metadata={
        "help": "End once so many sessions have come and gone.", "metavar": "N"})
    faults: tuple[Fault, ...] = ()
    key: str | None = field(default=None, repr=False)   # None: any key is good

    @property
    def local(self) -> bool:
        """Whether only this machine can connect."""
        return self.host in ("localhost", "::1") or self.host.startswith("127.")

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        if not 0 <= self.port <= 65_535:
            raise UsageError(f"--port {self.port}: a port is a number from 0 to 65535")
        if not 0 <= self.speed < float("inf"):
            raise UsageError(f"--speed {self.speed:g}: the pace must be 0 or more")
        if not 0 <= self.history < 1e7:
            raise UsageError(f"--history {self.history:g}: minutes must be 0 or more")
        for name in ("heartbeat", "replay_limit", "seconds", "max_sessions"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise UsageError(f"--{name.replace('_', '-')} {value:g}: it must be above 0")
        if self.end not in ("wait", "fin"):
            raise UsageError(f"--end {self.end}: it is wait or fin")
