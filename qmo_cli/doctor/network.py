"""What others have to be asked for: the live gateway, what it lets us have and what time it has there, and Yahoo."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module

from ..blocks import ERROR, SECOND, SYSTEM, UNDEF_TIME
from ..errors import NotEntitled, SourceUnavailable
from ..feeds.keys import find_key
from ..feeds.live.request import BAD_KEY, SERIES, Lost, Refused, Request, Subscription
from ..feeds.reach import latency, resolve
from ..times import UNITS
from .examination import Check, Finding
from .options import DoctorOptions

STYPE = "continuous"
LEVELS = {"mbo": "L3, every order", "mbp-10": "L2, ten levels of the book", "tbbo": "L1, trades with the quote"}
CONNECT = 4.0                   # s to find the gateway, and to connect
ANSWER = 2.5                    # s for its answer to one level
NOTICED, GRAVE = 2 * SECOND, 15 * SECOND    # ns that clocks are apart: seen in ages of prices; makes them stale
OTHER_TIMES = UNITS["d"]        # ns: no clock is that wrong, it is a rehearsal of another day
FIREWALL = "let this machine connect to {}:{} (TCP), or look at https://status.databento.com"
PLANS = "the plan decides: https://databento.com/pricing"
KEYS = "take the key anew from https://databento.com/portal/keys"


def get_ready() -> None:
    """Import the vendors' packages, one after the other: imports from several threads get into each other's way."""
    from ..feeds.yahoo.ask import library

    import_module("qmo_cli.feeds.live.wire")
    library()


@dataclass(slots=True)
class Answer:
    """What came of asking for one level."""

    granted: bool = False
    skew: int | None = None     # ns that this machine's clock is ahead of the gateway's, by what came first

    def hear(self, data: bytes) -> None:
        """Records that came. Raises Refused for an error."""
        from ..market import stream
        from ..records.layout import ACKNOWLEDGED, header_at, read_error, read_system

        at = 0
        while at < len(data):
            if data[at + 1] == ERROR:
                code, text = read_error(data, at)
                raise Refused(code, text.decode("utf-8", "replace"))
            if data[at + 1] == SYSTEM:
                self.granted |= read_system(data, at)[0] == ACKNOWLEDGED
                self._time(header_at(data, at)[3])
            else:
                self.granted = True
                self._time(stream.index_time(data, at))
            at += 4 * data[at]

    def _time(self, ts: int) -> None:
        if self.skew is None and 0 < ts < UNDEF_TIME:
            self.skew = time.time_ns() - ts


def gateway(options: DoctorOptions) -> Iterator[Finding]:
    """Whether the live gateway is there; and then what it grants, and whether the clocks agree."""
    host, port = options.address
    key = readable_key()
    try:
        address = resolve(host, port, CONNECT)
        delay = latency(address, port, CONNECT)
    except SourceUnavailable as error:
        yield Finding("fail" if key else "warn", "gateway", f"{host}:{port}: {error}", FIREWALL.format(host, port))
        yield Finding("warn", "entitlement", "not asked: no gateway")
        return
    yield Finding("ok", "gateway", f"{host}:{port}, {delay * 1000:.0f} ms to connect")
    if key:
        yield from entitlement(Request((), host=address, port=port), key)
    else:
        yield Finding("warn", "entitlement", "not asked: no key that can be read")


def readable_key() -> str:
    """The key; "" where there is none, or one that another finding complains of."""
    from ..feeds.keys import api_key

    try:
        return api_key() if find_key()[0] else ""
    except NotEntitled:
        return ""


def entitlement(place: Request, key: str) -> Iterator[Finding]:
    """The best level that the gateway grants, and the time it has."""
    refused: list[str] = []
    skew = None
    for schema, meaning in LEVELS.items():
        try:
            answer = ask(Request((Subscription(schema, (SERIES,), STYPE),), host=place.host, port=place.port), key)
        except Refused as error:
            if error.code in BAD_KEY and not refused:
                yield Finding("fail", "entitlement", f"the gateway refuses the key: {words(error)}", KEYS)
                return
            refused.append(f"{schema} refused: {words(error)}")
            continue
        except Lost as error:
            yield Finding("fail", "entitlement", f"{schema}: {error}", "try again; then look at the network")
            return
        skew = answer.skew
        if answer.granted:
            detail = "; ".join([f"{schema} ({meaning})", *refused])
            yield Finding("warn", "entitlement", detail, PLANS) if refused else Finding("ok", "entitlement", detail)
            break
        refused.append(f"{schema}: no answer within {ANSWER:g} s")
    else:
        yield Finding("fail", "entitlement", "; ".join(refused), PLANS)
    yield clock(skew)


def words(error: Exception) -> str:
    """An error in one line."""
    return " ".join(str(error).split())


def ask(request: Request, key: str) -> Answer:
    """Subscribe, and listen until the gateway has said yes or no. Raises Refused or Lost."""
    from ..feeds.live.session import Session

    live, answer = Session(request, key, timeout=ANSWER), Answer()
    try:
        live.open()
        end = time.monotonic() + ANSWER
        while not answer.granted and (left := end - time.monotonic()) > 0:
            answer.hear(live.read(left))
    finally:
        live.close()
    return answer


def clock(skew: int | None) -> Finding:
    """How far this machine's clock is from the gateway's (ns ahead; the way that records take counts as that too)."""
    if skew is None:
        return Finding("warn", "clock", "not compared: the gateway said no time")
    if abs(skew) > OTHER_TIMES:
        return Finding("warn", "clock", "not compared: the gateway's times are of another day, as in a rehearsal")
    detail = f"{abs(skew) / SECOND:.3f} s {'ahead of' if skew > 0 else 'behind'} the gateway's"
    advice = "set it by the network: timedatectl set-ntp true"
    if abs(skew) > GRAVE:
        return Finding("fail", "clock", detail + ": fresh prices would be called stale, or stale ones fresh", advice)
    return Finding("warn", "clock", detail, advice) if abs(skew) > NOTICED else Finding("ok", "clock", detail)


def yahoo(options: DoctorOptions) -> Iterator[Finding]:
    """Whether Yahoo gives its price of gold."""
    from ..feeds.yahoo import GOLD, price

    try:
        quote = price(GOLD, now=time.time_ns())
    except SourceUnavailable as error:
        yield Finding("warn", "yahoo", str(error), "without it nobody stands in for Databento; try again later")
        return
    yield Finding("ok", "yahoo", f"{GOLD} {quote.price:g}, {quote.quality}, of {quote.timestamp or 'a time not told'}")


NETWORK: tuple[tuple[str, Check], ...] = (("gateway", gateway), ("yahoo", yahoo))
