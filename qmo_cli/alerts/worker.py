"""One target's thread: sends what waits in order, tries again, gives up; never in anybody's way."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from .alert import Alert, Message, Outcome, Parcel
from .clock import Clock
from .inbox import Report
from .outbox import DOWN, STOPPED, Outbox
from .target import Target
from .words import message

logger = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0  # s between attempts: doubled each time
MOST_ATTEMPTS = 20


def pause(attempts: int, outcome: Outcome, first: float = FIRST_PAUSE) -> float:
    """s to wait after so many attempts: twice as long each time, and at least what the receiver asks for.

    >>> [pause(attempts, Outcome("no")) for attempts in (1, 2, 3, 10)], pause(1, Outcome("no", after=90.0))
    ([1.0, 2.0, 4.0, 60.0], 90.0)
    """
    usual: float = min(LONGEST_PAUSE, first * 2 ** min(attempts - 1, 30))
    return usual if outcome.after is None else max(usual, outcome.after)


@dataclass(slots=True)
class Worker:
    """``patience`` is how long (s) one message is tried for."""

    target: Target
    outbox: Outbox
    patience: float
    max_age: int                        # ns: what is older goes out as OLD
    report: Callable[[Report], None]
    clock: Clock
    first_pause: float = FIRST_PAUSE
    current: Parcel | None = None
    _condition: threading.Condition = field(default_factory=threading.Condition)
    _thread: threading.Thread = field(init=False)
    _closing: bool = False
    _abandoned: bool = False

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._run, name=f"alert-{self.target.name}", daemon=True)

    @property
    def running(self) -> bool:
        """Whether it still has something to do."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def offer(self, alert: Alert) -> None:
        """Send this too, after what came before. Never waits for the target."""
        with self._condition:
            self.outbox.offer(alert)
            self._tell_fates()
            self._condition.notify()

    def resume(self, alerts: list[Alert], left_out: int = 0) -> None:
        """Go on with what was not delivered before a stop: what is not new any more in a summary."""
        with self._condition:
            now = self.clock.wall()
            self.outbox.left_out = left_out if alerts else 0
            for alert in alerts:
                if alert.realm == "live" and now - alert.ts <= self.max_age:
                    self.outbox.offer(alert)
                else:
                    self.outbox.hold([alert], STOPPED)
            self.outbox.fates.clear()  # they were told before the stop

    def close(self) -> None:
        """Nothing more will come: end when all was sent."""
        with self._condition:
            self._closing = True
            self._condition.notify()

    def abandon(self) -> None:
        """End now, whatever is under way."""
        with self._condition:
            self._abandoned = True
            self._condition.notify()
        self.target.abandon()

    def join(self, timeout: float) -> None:
        """Wait for the thread; then tell what it leaves behind."""
        self._thread.join(timeout)
        with self._condition:
            parcel, self.current = self.current, None
            if parcel is not None:
                self._tell(parcel, 1, self._message(parcel), "not delivered before the end", final=False)
            self.outbox.hold_waiting(STOPPED)
            self._tell_fates()

    # --- in the thread

    def _run(self) -> None:
        while (parcel := self._next()) is not None:
            self._deliver(parcel)

    def _next(self) -> Parcel | None:
        """Wait for something that may go out; None: it is time to end."""
        with self._condition:
            while not self._abandoned:
                wall, steady = self.clock.wall(), self.clock.steady()
                parcel = self.outbox.take(wall, steady, last=self._closing)
                self._tell_fates()
                if parcel is not None:
                    self.current = parcel
                    return parcel
                if self._closing:
                    return None
                self._condition.wait(self.outbox.wait(wall, steady))
        return None

    def _deliver(self, parcel: Parcel) -> None:
        attempts, begun = 0, self.clock.steady()
        while True:
            attempts += 1
            said = self._message(parcel)
            outcome = self._attempt(said)
            rest = pause(attempts, outcome, self.first_pause)
            over = self.clock.steady() + rest - begun > self.patience or attempts >= MOST_ATTEMPTS
            with self._condition:
                if self.current is None:
                    return  # told as undelivered by who did not want to wait
                if not outcome.error or outcome.final or over or self._abandoned:
                    self._finish(parcel, attempts, said, outcome)
                    return
                logger.info("%s %s; trying again in %.3g s", self.target.place, outcome.error, rest)
                self._condition.wait_for(lambda: self._abandoned, rest)

    def _finish(self, parcel: Parcel, attempts: int, said: Message, outcome: Outcome) -> None:
        self.current = None
        self._tell(parcel, attempts, said, outcome.error, final=not self._abandoned or not outcome.error)
        if outcome.error:
            self.outbox.hold_waiting(STOPPED if self._abandoned else DOWN)
            self._tell_fates()

    def _attempt(self, said: Message) -> Outcome:
        if self._abandoned:
            return Outcome("not delivered before the end")
        try:
            return self.target.send(said)
        except Exception as error:  # noqa: BLE001  # a thread that dies would take every later alert with it
            return Outcome(f"failed by a bug in qmo: {type(error).__name__}", final=True)

    def _message(self, parcel: Parcel) -> Message:
        return message(parcel, self.clock.wall(), self.max_age)

    def _tell(self, parcel: Parcel, attempts: int, said: Message, error: str, *, final: bool) -> None:
        state = "failed" if error else "delivered"
        self.report(Report(self.target.name, parcel, state, attempts, said.text, error or None, final))  # type: ignore[arg-type]

    def _tell_fates(self) -> None:
        for alert, reason in self.outbox.fates:
            parcel = Parcel((alert,))
            self.report(Report(self.target.name, parcel, "held", 0, self._message(parcel).text, reason, final=False))
        self.outbox.fates.clear()
        for alert in self.outbox.dropped:
            self.report(Report(self.target.name, Parcel((alert,)), "held", 0, "", final=False, dropped=True))
        self.outbox.dropped.clear()
