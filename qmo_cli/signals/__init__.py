"""The trade decision: from a scored packet to a signal that says what to do, how much, and why."""

from __future__ import annotations

from .signaler import Decision, Signal, Signaler
from .sizing import SignalOptions

__all__ = ["Decision", "Signal", "SignalOptions", "Signaler"]
