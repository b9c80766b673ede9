"""What may be chosen about alerts."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..errors import UsageError
from ..times import SECOND, duration


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertOptions:
    """Whom to tell, of what, how often and when."""

    exec: tuple[str, ...] = ()      # commands for the shell
    webhook_file: str | None = field(default=None, metadata={
        "help": "POST to the address in this file, which only you can read (mode 600).", "metavar": "FILE"})
    template: str | None = field(default=None, metadata={
        "help": "What to POST: JSON with {text}, {title}, {kind} and so on in its strings, or @FILE.",
        "metavar": "JSON"})
    notify: bool = field(default=False, metadata={"help": "Show a notification on the desktop."})
    on: tuple[str, ...] = field(default=("decision,data",), metadata={
        "help": "What to tell: decision, data, system, iceberg, memory, absorption, liquidity, or one kind such as "
                "decision:opened; may be given several times.",
        "metavar": "TOPIC[:KIND],..."})
    trouble: str = field(default="30s", metadata={
        "help": "How long data is stale or trading halted before that is told.", "metavar": "DURATION"})
    silence: str | None = field(default=None, metadata={
        "help": "Tell when no line came for so long; not with lines of --changes.", "metavar": "DURATION"})
    max_age: str = field(default="60s", metadata={
        "help": "Tell of nothing that is older than this.", "metavar": "DURATION"})
    replay: bool = field(default=False, metadata={
        "help": "Tell also of what is not live: simulated, replayed, delayed or old. The text begins with that word."})
    limit: str = field(default="6/10m", metadata={
        "help": "Most messages to each target in such a time; what is more is summed up in a later one.",
        "metavar": "N/DURATION"})
    quiet_hours: str | None = field(default=None, metadata={
        "help": "Hours of the day, such as 22:00-07:00, whose alerts are summed up at their end.",
        "metavar": "HH:MM-HH:MM"})
    timezone: str | None = field(default=None, metadata={
        "help": "Time zone of --quiet-hours, such as America/Chicago; without it that of this machine.",
        "metavar": "ZONE"})
    urgent: tuple[str, ...] = field(default=(), metadata={
        "help": "What may be told in quiet hours, as in --on.", "metavar": "TOPIC[:KIND],..."})
    timeout: str = field(default="10s", metadata={
        "help": "How long one attempt may take.", "metavar": "DURATION"})
    retry: str = field(default="5m", metadata={
        "help": "How long one message is tried again.", "metavar": "DURATION"})
    drain: str = field(default="10s", metadata={
        "help": "How long to go on sending when the input has ended.", "metavar": "DURATION"})
    state: str | None = field(default=None, metadata={
        "help": "Where to note what was told; without it $XDG_STATE_HOME/qmo/alert.json.", "metavar": "FILE"})

    def __post_init__(self) -> None:
        for name in ("max_age", "timeout"):
            if not duration(getattr(self, name)):
                raise UsageError(f"--{name.replace('_', '-')} {getattr(self, name)}: this must be more than 0")
        if self.timezone is not None and self.quiet_hours is None:
            raise UsageError("--timezone is that of --quiet-hours HH:MM-HH:MM, which is not given")
        if self.urgent and self.quiet_hours is None:
            raise UsageError("--urgent says what may be told in --quiet-hours HH:MM-HH:MM, which is not given")

    def seconds(self, name: str) -> float:
        """A duration in s."""
        found: float = duration(getattr(self, name)) / SECOND
        return found
