"""Highs, lows, opens and closes of trade days and nights, and whether the input saw all of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from ...blocks import PRICE_SCALE
from ...packets import BarInput, Second, fixed
from ...sessions import OVERNIGHT, Session, session
from ...times import UNITS, iso

PROMPT = UNITS["m"]     # after the open: a first trade within it shows that the input saw the open
LATE = 15 * UNITS["m"]  # before the close: a last trade within it shows that the input saw the close
DAY = ("day_open", "day_high", "day_low")
PRIOR = ("prior_day_high", "prior_day_low")
CLOSE = ("prior_day_close",)
NIGHT = ("overnight_high", "overnight_low")

Row = Second | BarInput


class Told(NamedTuple):
    """The levels as a reading has them: None is what is not known."""

    day_open: float | None = None
    day_high: float | None = None
    day_low: float | None = None
    prior_day_high: float | None = None
    prior_day_low: float | None = None
    prior_day_close: float | None = None
    overnight_high: float | None = None
    overnight_low: float | None = None


@dataclass(slots=True)
class Stretch:
    """What traded in a trade day or a night. ``until`` is the end of its latest row in ns, ``why`` it is not whole."""

    open: float
    high: float
    low: float
    close: float
    until: int
    why: str = ""

    def take(self, row: Row, ends: int) -> bool:
        """Add a row; whether high or low moved."""
        moved = row.high > self.high or row.low < self.low
        if moved:
            self.high, self.low = max(self.high, row.high), min(self.low, row.low)
        if ends >= self.until:
            self.close, self.until = row.close, ends
        return moved

    def shift(self, gap: float) -> None:
        """Move to another contract's price level, exactly."""
        by = fixed(gap)
        self.open, self.high, self.low, self.close = (
            (fixed(price) + by) / PRICE_SCALE for price in (self.open, self.high, self.low, self.close))


def stretch(row: Row, ends: int, why: str) -> Stretch:
    """A day or night that begins with this row."""
    return Stretch(row.open, row.high, row.low, row.close, ends, why)


@dataclass(slots=True)
class Levels:
    """The trade day so far, the night in it, and the trade day before. Times in ns.

    A part of a trade day, from an opening to a close, is known from its beginning if something traded within a minute
    of it, or within ``quiet`` where what traded before did so up to the close before. The end of a day is known if
    something traded in its last 15 minutes. An open market without a trade for longer than ``quiet`` leaves in doubt
    what surrounds it: an input that lacks hours looks the same.
    """

    quiet: int                                        # ns
    here: Session | None = None                       # where time has come to
    seen: Session | None = None                       # of the latest row
    until: int = 0                                    # its end; 0: none yet
    start: str = "the input began"                    # what happened before the first row
    day: Stretch | None = None
    night: Stretch | None = None
    prior: Stretch | None = None
    rolling: bool = False                             # the contract changed and its gap is not known
    partial: str = ""                                 # why the part of the latest row is not known from its beginning
    broken: tuple[int, str] = field(default=(0, ""))  # opening of the part in which trades may be missing, and why

    # --- what happened to the stream

    def leave(self) -> None:
        """The series left its contract for another: until the gap is known, the levels say nothing."""
        self.rolling = any((self.day, self.night, self.prior))

    def shift(self, gap: float) -> None:
        """The gap is known."""
        if not self.rolling:
            return
        self.rolling = False
        for one in (self.day, self.night, self.prior):
            if one:
                one.shift(gap)

    def doubt(self, kind: str, ts: int) -> None:
        """Trades may be missing at this time: this part of the trade day is not whole."""
        there, here = session(ts), self.here
        if not there.open:
            return
        self.broken = there.opened, f"trades may be missing: {kind} at {iso(ts)}"
        if here is not None and here.opened == there.opened:
            self._doubt(self.broken[1], there)

    def _doubt(self, why: str, since: Session) -> None:
        """From this session on the part is not whole: the day, and the night if it was not over."""
        self.partial = self.partial or why
        for one in (self.day, self.night if since.name in OVERNIGHT else None):
            if one:
                one.why = one.why or why

    def _forget(self) -> None:
        """Another contract trades, and the gap will not be known: its levels have nothing to do with those before."""
        self.rolling, self.day, self.night, self.prior, self.seen, self.until = False, None, None, None, None, 0
        self.start = "the contract changed by an unknown gap"

    # --- time and trades

    def move(self, here: Session) -> Session:
        """Time has come here: another session, part of the trade day, or trade date."""
        old = self.here
        if old is None or here.day_start != old.day_start:
            self.prior = self.day if old is not None and here.day_start == old.day_end else None
            self.day = None
        if old is None or here.opened != old.opened:
            self.night = None
        self.here = here
        return here

    def take(self, row: Row, begins: int, ends: int) -> bool:
        """Add what traded between these times; whether a level changed."""
        if self.rolling:
            self._forget()
        here = self.here
        if here is None or begins >= here.ends:
            here = self.move(session(begins))
        elif begins < here.opened:
            return self._late(here, row, begins, ends)
        elif begins < here.starts:
            here = session(begins)
        changed = self._add(here, row, begins, ends)
        self.seen, self.until = here, max(self.until, ends)
        return changed

    def _late(self, here: Session, row: Row, begins: int, ends: int) -> bool:
        """A row of a part that is over."""
        if begins >= here.day_start:
            return self.day is not None and self.day.take(row, ends)
        if self.prior is None or begins < session(here.day_start - 1).day_start:
            return False
        self.prior.take(row, ends)
        return True

    def _add(self, here: Session, row: Row, begins: int, ends: int) -> bool:
        day, night = self.day, self.night
        if self.seen is None or self.seen.opened != here.opened:
            self.partial = self._beginning(here, begins)
        elif begins - self.until > self.quiet:
            self._doubt(self._hole(begins), self.seen)
        changed = True
        if day:
            day.why = day.why or self.partial
            changed = day.take(row, ends)
        else:
            whole = here.opened == here.day_start
            self.day = stretch(row, ends, self.partial if whole else "nothing traded in the half-session before")
        if here.name not in OVERNIGHT:
            return changed
        if night:
            return night.take(row, ends) or changed
        self.night = stretch(row, ends, self.partial)
        return True

    def _beginning(self, here: Session, begins: int) -> str:
        """Why a part that first traded then is not known from its beginning; "" if it is."""
        if self.broken[0] == here.opened:
            return self.broken[1]
        seen = self.seen
        if begins - here.opened < PROMPT:
            return ""
        if seen is None:
            return f"{self.start} at {iso(begins)}"
        if seen.reopens == here.opened and seen.closes - self.until <= LATE and begins - here.opened <= self.quiet:
            return ""
        return self._hole(begins)

    def _hole(self, begins: int) -> str:
        return f"the input has no trades from {iso(self.until)} to {iso(begins)}"

    # --- what is known

    def told(self, blocked: str, no_night: str, reasons: dict[str, str]) -> Told:
        """The levels. Why one is not known goes into ``reasons``; ``blocked`` rules out all of them."""
        here, day, prior, night = self.here, self.day, self.prior, self.night
        assert here is not None
        no_day = blocked or (day.why if day else f"no trade on trade date {here.trade_date} yet")
        no_close = blocked or self._no_close(here)
        no_prior = no_close or (prior.why if prior else "")
        # An input that began after the night did not see it.
        no_trade = (day.why if day else "") or "no overnight trade yet"
        no_night = blocked or no_night or (night.why if night else no_trade)
        for names, why in ((DAY, no_day), (PRIOR, no_prior), (CLOSE, no_close), (NIGHT, no_night)):
            if why:
                reasons.update(dict.fromkeys(names, why))
        values = {"day": day, "prior_day": prior, "overnight": night}
        return Told(**{
            name: getattr(values[name.rpartition("_")[0]], name.rpartition("_")[2])
            for name in Told._fields if name not in reasons
        })

    def _no_close(self, here: Session) -> str:
        """Why the prior day's close is not known; "" if it is."""
        before = session(here.day_start - 1)
        if self.prior is None:
            return f"no trades of trade date {before.trade_date} in the input"
        if before.closes - self.prior.until > LATE:
            return f"the input has no trades of trade date {before.trade_date} after {iso(self.prior.until)}"
        return ""
