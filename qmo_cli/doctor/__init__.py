"""Whether everything that qmo stands on is in order, and what to do where it is not."""

from __future__ import annotations

from .examination import Finding, examine
from .options import DoctorOptions

__all__ = ["DoctorOptions", "Finding", "examine"]
