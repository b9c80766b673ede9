"""What may go wrong, and when: the faults that a gateway shows on purpose."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NoReturn

from ..errors import UsageError

FOREVER = float("inf")
ARGUMENTS = {
    "fin": "", "rst": "", "torn": "", "stall": "seconds?", "mute": "", "early": "", "reject": "text?",
    "error": "code", "corrupt": "", "duplicate": "", "swap": "", "late": "seconds?", "skip": "count?",
    "down": "seconds",
}
DEFAULTS = {"stall": FOREVER, "late": 1.0}   # seconds
GREETINGS = frozenset({"mute", "early", "reject"})
RECORDS = frozenset({"duplicate", "swap", "late", "skip"})
REJECTED = "Authentication failed."
CODES = range(1, 9)


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault, once.

    ``at``: number of market records that the gateway has served by then, over all its sessions. duplicate, swap, late
    and skip are about the record with that number, the others happen after it; 0 is the beginning of a session.
    """

    kind: str
    at: int = 0
    seconds: float = 0.0        # stall, late: of market time; down
    count: int = 1              # skip: records left out
    code: int = 0               # error
    text: str = REJECTED        # reject

    @property
    def due(self) -> int:
        """How many records have been served when it happens."""
        return max(self.at - 1, 0) if self.kind in RECORDS else self.at

    def __str__(self) -> str:
        argument = {"error": self.code, "skip": self.count, "down": self.seconds}.get(self.kind)
        return f"{self.kind}{'' if argument is None else f':{argument:g}'}@{self.at}"


def parse_fault(text: str) -> Fault:
    """The fault of ``KIND[:ARGUMENT][@N]``. Raises UsageError that says what is wrong.

    >>> parse_fault("fin@1000").at, parse_fault("stall:5@0").seconds, parse_fault("error:8@20").code
    (1000, 5.0, 8)
    """
    rest, _, number = text.rpartition("@") if "@" in text else (text, "", "0")
    kind, colon, argument = rest.partition(":")
    if kind not in ARGUMENTS:
        refuse(text, f"there is no fault {kind!r}; there are {', '.join(ARGUMENTS)}")
    if not number.isascii() or not number.isdigit():
        refuse(text, f"{number!r} is not a number of records")
    wanted = ARGUMENTS[kind]
    if colon and not wanted:
        refuse(text, f"{kind} takes no argument")
    if not colon and wanted and not wanted.endswith("?"):
        refuse(text, f"{kind} needs its {wanted}, as in {kind}:{'5' if wanted == 'code' else '60'}@{number}")
    return Fault(kind, int(number), **(_argument(text, wanted.rstrip("?"), argument) if colon else _default(kind)))


def refuse(text: str, why: str) -> NoReturn:
    """Say what is wrong with a fault."""
    raise UsageError(f"--fault {text}: {why}")


def _default(kind: str) -> dict[str, float]:
    return {"seconds": DEFAULTS[kind]} if kind in DEFAULTS else {}


def _argument(text: str, name: str, value: str) -> dict[str, str | int | float]:
    if name == "text":
        if not value or not value.isprintable() or "|" in value:
            refuse(text, "the reason must be printable text without |")
        return {"text": value}
    try:
        number = float(value) if name == "seconds" else int(value)
    except ValueError:
        refuse(text, f"{value!r} is not a number")
    if name == "code" and number not in CODES:
        refuse(text, f"the vendor's error codes are {CODES[0]} to {CODES[-1]}")
    if not 0 < number < FOREVER:
        refuse(text, f"{value!r} must be above 0")
    return {name: number}


@dataclass(slots=True)
class Schedule:
    """The faults still to come, and how many records have been served."""

    pending: list[Fault] = field(default_factory=list)
    served: int = 0

    def __post_init__(self) -> None:
        self.pending.sort(key=lambda fault: fault.due)

    def greeting(self) -> Fault | None:
        """The fault of a connection that is made now."""
        return self._pop(GREETINGS)

    def stop(self) -> Fault | None:
        """The fault that breaks the stream at this point."""
        return self._pop(frozenset(ARGUMENTS) - GREETINGS - RECORDS)

    def change(self) -> Fault | None:
        """The fault that changes the next record."""
        return self._pop(RECORDS)

    def room(self) -> int:
        """How many records go out before the next fault; at least one."""
        ahead = [fault.due - self.served for fault in self.pending if fault.kind not in GREETINGS]
        return max(1, min(ahead)) if ahead else 2**62

    def _pop(self, kinds: frozenset[str]) -> Fault | None:
        for index, fault in enumerate(self.pending):
            if fault.kind in kinds and fault.due <= self.served:
                return self.pending.pop(index)
        return None
