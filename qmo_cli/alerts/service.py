"""The keeper: notes every alert before it is sent, hands it to the workers, and tells what became of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from ..packets import WIRE_VERSION
from ..times import SECOND, iso
from .alert import Alert, AlertLine, Parcel
from .clock import Clock
from .inbox import Inbox, Report
from .judge import Judge
from .reader import OVER, Reader
from .state import State
from .wanted import DATA
from .words import clock as shown
from .words import message, span
from .worker import Worker

logger = logging.getLogger(__name__)

LAST_WORDS = 0.5        # s for a worker that was told to end now
encode = msgspec.json.Encoder().encode


@dataclass(slots=True)
class Service:
    """Everything that runs while the input lasts. ``put`` takes lines of output; ``run`` gives the exit status.

    ``silence`` in s (None: silence is not told), ``drain`` in s. Without workers nothing is sent, and the lines say
    what would be.
    """

    reader: Reader
    judge: Judge
    inbox: Inbox
    state: State
    workers: Sequence[Worker]
    put: Callable[[bytes], None]
    clock: Clock
    max_age: int
    drain: float = 10.0
    silence: float | None = None
    rehearsed: Sequence[str] = ()       # targets that a trial names
    failures: int = 0
    _silent_since: int = 0
    _hinted: bool = False

    def run(self) -> int:
        """Go on until the input ends and all is sent, or time is up. 0: everything was delivered."""
        for worker in self.workers:
            kept, name = self.state.kept, worker.target.name
            worker.resume(list(kept.pending.get(name, {}).values()), kept.uncounted.get(name, 0))
            worker.start()
        self.reader.start()
        while not self.inbox.ended:
            self.inbox.wait(self._patience())
            self._look_at_silence()
            self._step()
        self._end()
        if self.inbox.error is not None:
            raise self.inbox.error
        return 1 if self.failures or self.state.failed else 0

    def _patience(self) -> float | None:
        return None if self.silence is None else max(0.05, self.silence / 4)

    def _step(self) -> None:
        """See what was left in the inbox; one write of the state for all of it, before anything is sent."""
        reports = self.inbox.take_reports()
        for report in reports:
            self._settle(report)
        alerts, overflow = self.inbox.take_alerts()
        if overflow:
            alerts.insert(0, self._overflow(overflow))
        new = [alert for alert in alerts if self._is_new(alert)]
        if new or reports:
            self.state.write()
        for alert in new:
            for worker in self.workers:
                worker.offer(alert)

    def _overflow(self, count: int) -> Alert:
        """Say that so many alerts are lost."""
        self.failures += count
        words = f"{count} came faster than they could be noted, and are not told"
        logger.error("alerts lost: %s", words)
        return self._own("overflow", f"overflow-{self.clock.wall()}-{self.failures}", f"TOO MANY ALERTS: {words}")

    def _is_new(self, alert: Alert) -> bool:
        """Note an alert; whether it is to be sent."""
        if alert.why:
            self._suppress(alert)
            return False
        if not self.state.note(alert, [worker.target.name for worker in self.workers]):
            self._line(Report(None, Parcel((alert,)), "suppressed", 0, self._text(alert), "told before"))
            return False
        for name in self.rehearsed:
            self._line(Report(name, Parcel((alert,)), "dry-run", 0, self._text(alert)))
        return True

    def _suppress(self, alert: Alert) -> None:
        if not self._hinted:
            self._hinted = True
            logger.warning("not told: %s (said once; the lines of output show each)", alert.why)
        self._line(Report(None, Parcel((alert,)), "suppressed", 0, self._text(alert), alert.why))

    def _text(self, alert: Alert) -> str:
        return message(Parcel((alert,)), self.clock.wall(), self.max_age).text

    def _settle(self, report: Report) -> None:
        """Print what became of a parcel, and strike it out of the state where nothing more will be tried."""
        assert report.target is not None
        if report.dropped:
            self.state.drop(report.target, report.parcel.newest)
            return
        self._line(report)
        if report.state == "failed":
            self.failures += 1
            place = next(worker.target.place for worker in self.workers if worker.target.name == report.target)
            end = f"given up after {report.attempts} attempts" if report.final else "kept for the next start"
            logger.error("not delivered to %s, %s: %s; %s", place, report.error, end, report.text)
        if report.final:
            self.state.strike(report.target, report.parcel.alerts, report.parcel.left_out)

    def _line(self, report: Report) -> None:
        newest = report.parcel.newest
        self.put(encode(AlertLine(
            "alert", WIRE_VERSION, str(newest.ts), iso(self.clock.wall() // 1_000_000 * 1_000_000), newest.id,
            newest.topic, report.parcel.kind, newest.series, report.parcel.count, report.target, report.state,
            report.attempts, report.text, report.error,
        )) + b"\n")

    # --- silence and the end

    def _look_at_silence(self) -> None:
        if self.silence is None:
            return
        quiet = self.clock.steady() - self.reader.heard
        if quiet >= self.silence and not self._silent_since:
            self._silent_since = self.clock.wall() - round(quiet * SECOND)
            self._tell("silent", f"silent-{self._silent_since}", f"NO LINE CAME since {shown(self._silent_since)}")
        elif quiet < self.silence and self._silent_since:
            since, self._silent_since = self._silent_since, 0
            self._tell("heard", f"silent-{since}", f"LINES COME AGAIN after {span(self.clock.wall() - since)}")

    def _end(self) -> None:
        """Send what is left, for as long as the drain lasts; then say what was not."""
        deadline = self.clock.steady() + self.drain
        if self.judge.live and self.inbox.ended != "terminated":
            why = "the input ended" if self.inbox.ended == OVER else self.inbox.ended
            self._tell("ended", f"ended-{self.clock.wall()}", f"NO MORE ALERTS from here: {why}{self._open()}")
        self._step()
        for worker in self.workers:
            worker.close()
        while any(worker.running for worker in self.workers) and self.clock.steady() < deadline:
            self.inbox.wait(0.05)
            self._step()
        for worker in self.workers:
            worker.abandon()
        for worker in self.workers:
            worker.join(LAST_WORDS)
        self._step()
        self._say_what_is_left()

    def _open(self) -> str:
        """The decisions that nobody will say the end of."""
        told = [f"{known.type} {place.partition('|')[2]}" for place, known in self.judge.decided.items()
                if known.id is not None and place.startswith("live|")]
        return f"; still open: {', '.join(told)}" if told else ""

    def _say_what_is_left(self) -> None:
        for worker in self.workers:
            left = len(self.state.kept.pending.get(worker.target.name, {}))
            left += self.state.kept.uncounted.get(worker.target.name, 0)
            if left:
                self.failures += 1
                logger.error("%d alerts for %s are undelivered and kept for the next start", left, worker.target.place)

    def _tell(self, kind: str, name: str, words: str) -> None:
        if self.judge.wanted(DATA, kind):
            self.inbox.tell(self._own(kind, name, words))

    def _own(self, kind: str, name: str, words: str) -> Alert:
        """An alert about the input itself, as of now."""
        now, series = self.clock.wall(), self.judge.last
        return Alert(
            f"live|{series}|{DATA}|{kind}|{name}", DATA, kind, name, "live", series, None, now, None, None, "", "",
            f"{words} [{shown(now)}, {series}]", "",
        )
