"""What every way of telling somebody has in common."""

from __future__ import annotations

from typing import Protocol

from .alert import Message, Outcome


class Target(Protocol):
    """Somebody to tell. ``name`` is how the state and the output lines know it, ``place`` how messages do."""

    name: str
    place: str

    def send(self, message: Message) -> Outcome:
        """One attempt, bounded in time."""

    def abandon(self) -> None:
        """End an attempt that is under way, from another thread."""
