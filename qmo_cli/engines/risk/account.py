"""What happened to the trader's account, in the order of time: records, trades second by second, trade dates."""

from __future__ import annotations

from dataclasses import dataclass

from ...blocks import SECOND
from ...instruments import root_of, spec_of
from ...packets import AccountFact, ContextFact, FillFact, KillFact, Market, NewsFact, Second, fixed
from ...times import UNITS
from ...tray import Packet
from .holdings import Holding, sisters
from .ledger import Ledger
from .log import Entry, Log, Recall, contract_of

MINUTE = UNITS["m"]
NO_RECORDS = "no fill or account record has come; merge them with --merge FILE"


@dataclass(slots=True)
class Account:
    """The ledger of one series, the kill switch, and the file that keeps their records."""

    ledger: Ledger
    log: Log | None
    recall: Recall | None = None
    changed: bool = False                # a record came since somebody looked
    killed: bool = False
    kill_detail: str = ""
    kill_ts: int = -1                    # ns, of the newest order to stop
    second: int = -1                     # that is not over, with a trade
    traded: int = 0                      # close of that second, 1e-9
    last: int | None = None              # close of the last second that is over, 1e-9
    own: str = ""                        # the packets' contract
    named: bool = False                  # by its raw symbol
    instrument_id: int = -1
    point_value: float | None = None
    kept_peak: int | None = None         # as of the last line in the file

    @property
    def due(self) -> int | None:
        """When the file knows of something next, ns."""
        return None if self.recall is None else self.recall.next

    def know(self, packet: Packet, market: Market) -> None:
        """Whose packets these are; another contract has another price scale."""
        if packet.instrument_id != self.instrument_id:
            self.instrument_id, self.second, self.last = packet.instrument_id, -1, None
        self.named, self.own = packet.symbol is not None, packet.symbol or packet.series
        self.point_value = market.point_value
        if self.log is not None and self.recall is None:
            self.recall = Recall(self.log.past(packet.series))

    def advance(self, packet: Packet, facts: list[ContextFact], rows: list[Second]) -> None:
        """Facts and trades in the order of time, trades second by second: no frame's length shows in the result."""
        place = 0
        recalled = self.recall is not None and self.recall.next is not None and self.recall.next < packet.ts
        for known, entry, fact in self._merged(packet, facts) if facts or recalled else ():
            while place < len(rows) and rows[place].second <= known // SECOND:
                self._trade(rows[place])
                place += 1
            self._pass_to(known)
            self._take(packet, known, entry, fact)
        for row in rows[place:]:
            self._trade(row)
        self._pass_to(packet.ts)
        self._keep_peak(packet)

    def _merged(
        self, packet: Packet, facts: list[ContextFact],
    ) -> list[tuple[int, Entry | None, ContextFact | None]]:
        """The facts of the file that are due, and those of the packet."""
        came: list[tuple[int, Entry | None, ContextFact | None]]
        came = [(int(fact.late or fact.ts_event), None, fact) for fact in facts]
        if self.recall is not None:
            came = [(int(entry.ts), entry, entry.fact) for entry in self.recall.due(packet.ts)] + came
            came.sort(key=lambda event: event[0])
        return came

    def _trade(self, row: Second) -> None:
        if row.second > self.second:
            self._pass_to(row.second * SECOND)
            self.second = row.second
        self.traded = fixed(row.close)

    def _finish(self, ts: int) -> None:
        """Value the account at the close of the second that is over."""
        if (self.second + 1) * SECOND <= ts:
            self.second, self.last = -1, self.traded
            if self.ledger.holdings:
                self.mark(self.traded)

    def _pass_to(self, ts: int) -> None:
        if self.second >= 0:
            self._finish(ts)
        if ts >= self.ledger.day.end:
            self.ledger.pass_to(ts, self.profit(self.last))

    def mark(self, price: int) -> None:
        self.ledger.mark(self.profit(price))

    def profit(self, price: int | None) -> int | None:
        """Open profit at a price of the packets' contract, 1e-18; None where a position cannot be valued by it."""
        total = 0
        for contract, holding in self.ledger.holdings.items():
            if price is None or not self._same_scale(contract, holding):
                return None
            profit = holding.open_profit(price)
            if profit is None:
                return None
            total += profit
        return total

    def _same_scale(self, contract: str, holding: Holding) -> bool:
        """Whether the packets' price is that of a position's contract, or of its sister of another size."""
        if holding.instrument_id != self.instrument_id:
            return self.named and contract == self.own
        return contract == self.own or sisters(contract, self.own)

    # --- records

    def _take(self, packet: Packet, known: int, entry: Entry | None, fact: ContextFact | None) -> None:
        if entry is not None:
            self._recall(entry)
        elif fact is not None and not isinstance(fact, NewsFact):
            contract = contract_of(fact, self.own)
            new, number = (True, None) if self.recall is None else self.recall.is_new(fact, contract)
            if not new:
                return
            value = self._value_of(contract) if contract is not None else None
            if number is not None and self.log is not None:
                told = packet.instrument_id if contract is not None else None
                self.log.add(Entry(packet.series, str(known), fact, contract, value, told, number))
            self._apply(fact, contract, value, packet.instrument_id)

    def _recall(self, entry: Entry) -> None:
        if entry.fact is not None:
            self._apply(entry.fact, entry.contract, entry.value, entry.instrument_id or -1)
        if entry.peak is not None:
            self.ledger.peak = max(int(entry.peak), self.ledger.peak or int(entry.peak))
        if entry.low is not None:
            self.ledger.day.low = min(self.ledger.day.low, int(entry.low))

    def _apply(self, fact: ContextFact, contract: str | None, value: float | None, instrument_id: int) -> None:
        self.changed = True
        if isinstance(fact, KillFact):
            self._kill(fact)
        elif isinstance(fact, AccountFact):
            self.ledger.account(fact)
        elif isinstance(fact, FillFact) and contract is not None:
            self.ledger.fill(fact, contract, None if value is None else fixed(value), instrument_id)
        if not self.ledger.holdings:
            self.ledger.mark(0)

    def _kill(self, fact: KillFact) -> None:
        """An order to stop holds until one to resume that is no older."""
        ts = int(fact.ts_event)
        if fact.active:
            self.killed, self.kill_detail, self.kill_ts = True, fact.detail, max(ts, self.kill_ts)
        elif ts >= self.kill_ts:
            self.killed, self.kill_detail = False, ""

    def _value_of(self, contract: str) -> float | None:
        """Point value of a contract: the packets' own, or what is known of its name."""
        spec = spec_of(contract)
        own = (root_of(contract) or contract) == (root_of(self.own) or self.own)
        return self.point_value if own and self.point_value is not None else spec.point_value if spec else None

    def _keep_peak(self, packet: Packet) -> None:
        """Write how high the account has come, when a minute ends."""
        peak = self.ledger.peak
        if self.log is None or peak is None or packet.ts % MINUTE or peak == self.kept_peak:
            return
        self.kept_peak = peak
        self.log.add(Entry(packet.series, str(packet.ts), peak=str(peak), low=str(self.ledger.day.low)))

    def closed(self) -> str | None:
        """Why the trader's records do not tell the account's state."""
        ledger = self.ledger
        if self.log is not None and self.log.fault is not None:
            return self.log.fault
        if not ledger.informed:
            return NO_RECORDS
        if (doubt := ledger.mismatch or ledger.day.doubt) is not None:
            return doubt
        for contract in ledger.holdings:
            spec = spec_of(contract)
            if spec is not None and ledger.currency is not None and spec.currency not in (None, ledger.currency):
                return f"{contract} is in {spec.currency}, the account in {ledger.currency}"
        return None
