"""The examination: every check a function, those that wait for others side by side, all of it within a time limit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from msgspec import Struct

from ..errors import QmoError
from .options import DoctorOptions

LIMIT = 12.0                    # s for all that waits for the network

Status = Literal["ok", "warn", "fail"]


class Finding(Struct, frozen=True):
    """One line of what was found."""

    status: Status
    what: str
    detail: str
    advice: str | None = None   # what to do about it


Check = Callable[[DoctorOptions], "Iterator[Finding]"]


def examine(options: DoctorOptions, limit: float = LIMIT) -> Iterator[Finding]:
    """All findings, those of this machine first."""
    from .local import LOCAL
    from .network import NETWORK, get_ready

    for name, check in LOCAL:
        yield from found(name, check, options)
    if options.offline:
        yield Finding("ok", "network", "not looked at: --offline")
        return
    get_ready()
    yield from side_by_side(NETWORK, options, limit)


def found(name: str, check: Check, options: DoctorOptions) -> list[Finding]:
    """What a check finds; that it cannot look is a finding too."""
    try:
        return list(check(options))
    except (QmoError, OSError) as error:
        return [Finding("fail", name, str(error))]
    except Exception as error:  # noqa: BLE001 - one check that breaks must not hide what the others find
        return [Finding("fail", name, f"this check broke: {type(error).__name__}: {error}", "report it as a bug")]


def side_by_side(checks: Sequence[tuple[str, Check]], options: DoctorOptions, limit: float) -> Iterator[Finding]:
    """The findings of checks that run at the same time, in their order; what takes longer is left behind."""
    answers: dict[str, list[Finding]] = {}

    def look(name: str, check: Check) -> None:
        answers[name] = found(name, check, options)

    end = time.monotonic() + limit
    workers = [threading.Thread(target=look, args=pair, daemon=True) for pair in checks]
    for worker in workers:
        worker.start()
    for (name, _), worker in zip(checks, workers, strict=True):
        worker.join(max(end - time.monotonic(), 0))
        late = [Finding("fail", name, f"no answer within {limit:g} s", "look at the network, and try again")]
        yield from answers.get(name, late)
