"""How Yahoo is asked: yfinance with its errors let through, a deadline of our own, and a reason in one line."""

from __future__ import annotations

import logging
import re
import threading
import warnings
from collections.abc import Callable
from contextlib import suppress
from hashlib import blake2b
from typing import Any, TypeVar

from ...errors import SourceUnavailable

Answer = TypeVar("Answer")

GOLD = "GC=F"                      # the front contract of gold futures, as Yahoo calls it
SYMBOLS = (GOLD,)                  # what is asked for where nobody says
UNKNOWN = "Yahoo knows no such symbol"
OUR_IDS = 1 << 31                  # no exchange's instrument id lies above
# what the library says in ways of its own: part of the error's type and text -> in words
MEANT = (
    ("YFRateLimitError", "too many requests: Yahoo wants to be left alone for some minutes"),
    ("JSONDecodeError", "its answer is no JSON: an error page, or cut off"),
    ("symbol may be delisted", UNKNOWN), ("HTTP Error 404", UNKNOWN), ("no timezone found", UNKNOWN),
)
CURL = re.compile(r"^Failed to perform, curl: \(\d+\) |\.? See https://curl\.se.*$")


def library() -> Any:
    """The yfinance module: it raises what goes wrong, instead of hiding it in an empty frame, and logs nothing."""
    with warnings.catch_warnings():  # importing it changes which warnings are shown
        warnings.simplefilter("ignore")
        import yfinance
    warnings.filterwarnings("ignore", category=DeprecationWarning, module="yfinance")  # of how it uses others
    logging.getLogger("yfinance").setLevel(logging.CRITICAL)
    yfinance.config.debug.hide_exceptions = False
    with suppress(AttributeError):  # a matter of this release: it would give a kept error page ever after
        yfinance.data.YfData.cache_get.cache_clear()
    return yfinance


def within(deadline: float, ask: Callable[[], Answer], what: str) -> Answer:
    """The answer, if it comes in so many seconds. Raises SourceUnavailable with the reason where there is none.

    The library's own limit covers only some of its requests, so it works in a thread that is left behind when late.
    """
    answers: list[Answer] = []
    failures: list[Exception] = []

    def work() -> None:
        try:
            answers.append(ask())
        except Exception as error:  # noqa: BLE001 - the library lets through errors of four others
            failures.append(error)

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    worker.join(deadline)
    if failures:
        raise SourceUnavailable(f"{what}: {reason(failures[0])}") from failures[0]
    if not answers:
        raise SourceUnavailable(f"{what}: no answer within {deadline:g} s")
    return answers[0]


def reason(error: Exception) -> str:
    """An error in one line."""
    words = " ".join(str(error).split())
    name = type(error).__name__
    meant = next((meaning for part, meaning in MEANT if part in f"{name}: {words}"), None)
    return meant or CURL.sub("", words) or name


def instrument_id(symbol: str) -> int:
    """An id for what Yahoo knows by name only: the same in every run, and none that an exchange gives.

    blake2b of the name, 32 bits, the highest of them set.
    """
    return int.from_bytes(blake2b(symbol.encode(), digest_size=4).digest(), "big") | OUR_IDS


def plain(value: float) -> float:
    """A price as it was before Yahoo kept it in 32 bits; any other number as it is.

    A number that 32 bits hold exactly stands for the shortest decimal number that they would be the nearest to.

    >>> plain(2567.300048828125), plain(2567.3), plain(2567.31), plain(4000.0)
    (2567.3, 2567.3, 2567.31, 4000.0)
    """
    from numpy import float32

    single = float32(value)
    return float(str(single)) if float(single) == value else value
