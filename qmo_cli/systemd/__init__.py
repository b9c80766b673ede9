"""Units for systemd, and examples for cron, that start this qmo."""

from __future__ import annotations

from .install import Written, install
from .units import Unit, crontab, executable, names, unit

__all__ = ["Unit", "Written", "crontab", "executable", "install", "names", "unit"]
