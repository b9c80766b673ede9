"""The vendor's historical service: what it has, what it costs, and downloads; its failures as ours."""

from __future__ import annotations

import logging
import math
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from ...blocks import SECOND
from ...errors import NotEntitled, QmoError, SourceUnavailable, UsageError
from ...times import moment
from ..keys import api_key
from ..symbology import stype_of
from .names import DAY, MISSING, NOTES

logger = logging.getLogger(__name__)

PAUSES = (1.0, 2.0, 4.0)           # s before each further attempt
LIMITED_PAUSE = 10.0               # s to wait when the vendor says "too many" without saying how long
LONGEST_PAUSE = 120.0              # s
LIMITED_ATTEMPTS = 5               # waits for "too many requests" within one question
SATURDAY = 5
REFUSALS = {
    401: "the vendor does not accept the key",
    402: "the vendor wants the account's payment settled first",
    403: "the key does not cover this",
}
Answer = TypeVar("Answer")


class Request(NamedTuple):
    """One symbol's records of one schema with start <= index time < end (ns)."""

    symbol: str
    schema: str
    start: int
    end: int


class Broken(SourceUnavailable):
    """An answer that is not whole. Data that broke off is not asked for again by itself: it would be paid again."""


class Passing(SourceUnavailable):
    """No answer at all, which another attempt may change."""


@dataclass(slots=True)
class Client:
    """Asks the vendor; ``gateway`` is another server than the vendor's, for rehearsal."""

    dataset: str
    gateway: str | None = None
    _key: str = ""
    _historical: Any = None
    _range: dict[str, Any] = field(default_factory=dict)

    def available(self, schema: str) -> tuple[int, int]:
        """From when to when (ns, exclusive) there are records of a schema, as far as the key covers them."""
        if not self._range:
            found = self._ask("the range of its data", lambda api: api.metadata.get_dataset_range(self.dataset))
            self._range = _checked(found, dict, "the range of its data")
        by_schema = _checked(self._range.get("schema", {}), dict, "the range of its data")
        span = _checked(by_schema.get(schema, self._range), dict, "the range of its data")
        return _time(span.get("start")), _time(span.get("end"))

    def price(self, request: Request) -> tuple[float, int]:
        """What a request costs (US dollars), and its size uncompressed (bytes)."""
        query = {**self._query(request), "start": request.start, "end": request.end}
        cost = self._ask("the cost", lambda api: api.metadata.get_cost(**query))
        size = self._ask("the size", lambda api: api.metadata.get_billable_size(**query))
        if not isinstance(cost, int | float) or not math.isfinite(cost) or cost < 0 or not isinstance(size, int):
            raise SourceUnavailable(f"the vendor's answer for the cost cannot be read: {cost!r}, {size!r}")
        return float(cost), size

    def conditions(self, start: int, end: int) -> dict[int, str]:
        """The days (ns of their begin) about whose data the vendor says something else than that it is available.

        The exchange is closed on Saturdays, so that nothing of them can be missing.
        """
        first = _day(start)
        answer = self._ask("the condition", lambda api: api.metadata.get_dataset_condition(self.dataset, first))
        rows = [_checked(row, dict, "the condition") for row in _checked(answer, list, "the condition")]
        found = {_time(row.get("date")): str(row.get("condition")) for row in rows}
        return {day: condition for day, condition in found.items()
                if condition in NOTES and day < end and not (condition == MISSING and _day(day).weekday() == SATURDAY)}

    def spans(self, request: Request) -> list[tuple[int, int]]:
        """The stretches (ns) in which a symbol means any instrument. Raises UsageError where there is none."""
        stype = stype_of(request.symbol)
        query = {"symbols": [request.symbol], "stype_in": stype,
                 "stype_out": "raw_symbol" if stype == "instrument_id" else "instrument_id",
                 "start_date": _day(request.start), "end_date": _day(request.end - 1 + DAY)}
        answer = self._ask("the symbol", lambda api: api.symbology.resolve(self.dataset, **query))
        result = _checked(_checked(answer, dict, "the symbol").get("result"), dict, "the symbol")
        found = [(_time(span.get("d0")), _time(span.get("d1"))) for spans in result.values()
                 for span in spans if span.get("s")]
        if not found:
            raise UsageError(f"--symbol {request.symbol}: {self.dataset} has no instrument of that name "
                             f"from {query['start_date']} to {query['end_date']}")
        return joined(found)

    def download(self, request: Request, path: Path) -> None:
        """Write the records into a file that is not there yet. Raises Broken where it cannot be whole."""
        query = {**self._query(request), "start": request.start, "end": request.end, "path": path}
        self._ask("the data", lambda api: api.timeseries.get_range(**query) and None)

    def _query(self, request: Request) -> dict[str, Any]:
        return {"dataset": self.dataset, "symbols": [request.symbol], "schema": request.schema,
                "stype_in": stype_of(request.symbol)}

    def _api(self) -> Any:
        """The vendor's client; importing it takes most of a second, so that it is made when first needed."""
        if self._historical is None:
            self._key = api_key()
            import databento

            other = {"gateway": self.gateway} if self.gateway else {}
            self._historical = databento.Historical(self._key, **other)
        return self._historical

    def _ask(self, what: str, question: Callable[[Any], Answer]) -> Answer:
        """The answer to one question, asked again where that may help."""
        api = self._api()
        limited = failed = 0
        while True:
            try:
                with heard_warnings():
                    return question(api)
            except Exception as error:
                status = getattr(error, "http_status", None)
                if status == 429 and limited < LIMITED_ATTEMPTS:
                    limited += 1
                    self._wait(retry_after(error), f"asked for {what}, the vendor says: too many requests")
                    continue
                failure = self._failure(error, what)
                if failed == len(PAUSES) or not isinstance(failure, Passing):
                    raise failure from error
                self._wait(PAUSES[failed], str(failure))
                failed += 1

    def _wait(self, pause: float, why: str) -> None:
        logger.warning("%s; trying again in %g s", why, pause)
        time.sleep(pause)

    def _failure(self, error: Exception, what: str) -> QmoError:
        """The vendor's or the network's error as ours."""
        status, words = getattr(error, "http_status", None), self._words(error)
        if status in REFUSALS:
            return NotEntitled(f"{REFUSALS[status]} ({words})")
        if status is not None and 400 <= status < 500 and status not in (408, 429):
            return UsageError(f"asked for {what}, the vendor says: {words}")
        if status is None and not _is_connection(error):
            return Broken(f"asked for {what}, the answer broke off or cannot be read: {words}")
        return Passing(f"asked for {what}, the vendor's service fails: {words}")

    def _words(self, error: Exception) -> str:
        """An error in one line, without the key, whoever put it there."""
        words = " ".join(str(error).split()) or type(error).__name__
        return words.replace(self._key, "***") if self._key else words


def _is_connection(error: Exception) -> bool:
    """Whether a connection failed before any data came; once data comes, the vendor's client wraps what fails."""
    from requests import RequestException

    return isinstance(error, RequestException)


def joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Stretches of time, those that touch as one: a roll is no end.

    >>> joined([(5, 9), (1, 3), (3, 4)])
    [(1, 4), (5, 9)]
    """
    found: list[tuple[int, int]] = []
    for begin, end in sorted(spans):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((begin, end))
    return found


def retry_after(error: Any) -> float:
    """Seconds that the vendor asks to wait, within reason."""
    try:
        return min(max(float(int(error.headers["Retry-After"])), 0.0), LONGEST_PAUSE)
    except (KeyError, ValueError):
        return LIMITED_PAUSE


@contextmanager
def heard_warnings() -> Iterator[None]:
    """Send what the vendor's client warns of to the log, in one line each."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.simplefilter("ignore", ResourceWarning)
        yield
    for warning in caught:
        logger.warning("the vendor warns: %s", " ".join(str(warning.message).split()))


def _checked(answer: Any, kind: type, what: str) -> Any:
    if not isinstance(answer, kind):
        raise SourceUnavailable(f"the vendor's answer about {what} cannot be read: {str(answer)[:100]!r}")
    return answer


def _time(text: Any) -> int:
    """ns of a date or time of the vendor's; fractions below a microsecond are cut off."""
    try:
        return moment(str(text), 0)
    except UsageError:
        raise SourceUnavailable(f"the vendor's answer has no time where one must be: {text!r}") from None


def _day(ts: int) -> date:
    return datetime.fromtimestamp(ts // SECOND, UTC).date()


