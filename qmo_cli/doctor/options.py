"""What the doctor looks at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..feeds.live.request import Request, address_of


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorOptions:
    """Whom to ask, and whether to ask anybody."""

    offline: bool = field(default=False, metadata={"help": "Leave out what needs the network."})
    gateway: str | None = field(default=None, metadata={
        "help": "A live gateway instead of Databento's own, such as that of qmo gateway.", "metavar": "HOST:PORT"})
    engines: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # parameters, as they are configured

    def __post_init__(self) -> None:
        """Refuse a gateway that is no address."""
        assert self.address

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of the live gateway. Raises UsageError."""
        return address_of(self.gateway) if self.gateway else Request(()).address

    def parameter(self, engine: str, name: str) -> str:
        """A text that an engine is configured with; "" where it is not."""
        value = self.engines.get(engine, {}).get(name, "")
        return value if isinstance(value, str) else ""
