"""Icebergs as the engine told them, set beside those that were there."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ..engines.iceberg.estimate import SizeEstimate
from ..engines.iceberg.told import IcebergEvent
from .truth import Native, Synthetic

CLIP, TRANCHES = 2, 3  # below either, a chain of new orders cannot be told from coincidence


@dataclass(slots=True)
class Claim:
    """One iceberg that the engine told of, from its detection on."""

    source: str                          # native or synthetic
    ts: int                              # ns, of the detection
    members: set[str]                    # order ids
    filled: int = 0                      # when detected
    estimate: SizeEstimate | None = None  # of its total, when detected
    hidden: int = 0                      # traded after having been hidden, as last told
    reloads: int = 0
    peak: int | None = None              # as last told
    peak_exact: bool = False
    revealed: list[int] = field(default_factory=list)  # by each refresh
    displayed: int = 0                   # the most that it showed
    fdr: float | None = None             # as last told


@dataclass(frozen=True, slots=True)
class Fact:
    """One iceberg that was planted and that somebody who sees everything public could find."""

    ts: int                              # ns, of the evidence from which it can be known
    members: frozenset[str]
    hidden: int                          # traded after having been hidden
    total: int                           # what its owner wanted
    peak: int
    telling: bool = True                 # whether a refresh shows the whole peak
    first: int = 0                       # what it showed first


@dataclass(frozen=True, slots=True)
class Comparison:
    """Claims and facts of one market; ``pairs`` are the claims that are right."""

    claims: Sequence[Claim]
    facts: Sequence[Fact]
    pairs: Sequence[tuple[Claim, Fact]] = field(default_factory=list)

    @property
    def found(self) -> list[Fact]:
        """The facts that some claim tells of, each once."""
        return list({id(fact): fact for _, fact in self.pairs}.values())


def gather(events: Iterable[IcebergEvent]) -> dict[str, list[Claim]]:
    """The claims that a stream of events amounts to, by source."""
    claims: dict[tuple[str, str], Claim] = {}
    for event in events:
        key = event.source, event.chain or event.order_id or ""
        claim = claims.get(key)
        if claim is None:
            claim = claims[key] = Claim(event.source, int(event.ts_event), set(), event.total_filled, event.estimate)
        _follow(claim, event)
    by_source: dict[str, list[Claim]] = {"native": [], "synthetic": []}
    for claim in claims.values():
        by_source.setdefault(claim.source, []).append(claim)
    return by_source


def _follow(claim: Claim, event: IcebergEvent) -> None:
    if event.order_id is not None:
        claim.members.update((event.order_id, *event.members))
    claim.hidden = event.hidden_traded
    if event.evidence == "refresh":
        claim.reloads += 1
        claim.revealed.append(event.revealed)
        claim.displayed = max(claim.displayed, event.shown, event.shown + event.filled - event.revealed)
    if event.peak is not None:
        claim.peak, claim.peak_exact = event.peak, event.peak_exact
    if event.fdr is not None:
        claim.fdr = event.fdr


def native_facts(truth: Iterable[Native]) -> list[Fact]:
    """The native icebergs that gave themselves away. A refresh shows a whole peak if two peaks fit into the total."""
    return [
        Fact(int(one.first_evidence), frozenset((one.id,)), one.hidden_traded, one.total, one.peak,
             one.refreshes > 0 and one.total >= 2 * one.peak, one.filled - one.hidden_traded)
        for one in truth if one.first_evidence is not None
    ]


def synthetic_facts(truth: Iterable[Synthetic], *, every: bool = False) -> list[Fact]:
    """The synthetic icebergs long and large enough to be told from coincidence, or every one."""
    return [
        Fact(int(one.tranches[min(TRANCHES, len(one.tranches)) - 1].ts_event),
             frozenset(tranche.order_id for tranche in one.tranches),
             max(0, one.filled - one.tranches[0].size), one.total, one.clip)
        for one in truth if every or (one.clip >= CLIP and len(one.tranches) >= TRANCHES)
    ]


def compare(claims: Sequence[Claim], facts: Sequence[Fact], others: Sequence[Fact] = ()) -> Comparison:
    """Which claims are right: more than half of a claim's orders belong to one iceberg.

    A claim about one of the ``others`` is right too, but these are not asked for.
    """
    owners = {member: fact for fact in (*others, *facts) for member in fact.members}
    pairs = [(claim, fact) for claim in claims if (fact := _owner(claim, owners)) is not None]
    return Comparison(claims, facts, pairs)


def _owner(claim: Claim, owners: Mapping[str, Fact]) -> Fact | None:
    """The iceberg that a claim is about."""
    counts = Counter(id(owners[member]) for member in claim.members if member in owners)
    if not counts:
        return None
    chosen, number = counts.most_common(1)[0]
    if 2 * number <= len(claim.members):
        return None
    return next(owners[member] for member in claim.members if member in owners and id(owners[member]) == chosen)


def peaks_left(claim: Claim, fact: Fact) -> int:
    """How many peaks agree with all that an iceberg showed: its displays, and what each refresh revealed.

    A sweep through several peaks reveals their sum, of which nobody can tell how many parts it has. A smaller last
    tranche says nothing of the peak; the truth tells which that is.
    """
    whole = [size for size in claim.revealed if size % fact.peak == 0]
    least = max(claim.displayed, fact.first)
    return sum(all(size % peak == 0 for size in whole) for peak in range(least, max(whole, default=0) + 1))


def delays(comparison: Comparison, moments: Sequence[int]) -> list[int]:
    """Exchange events from an iceberg's first evidence to its detection; ``moments`` are all events' times, sorted."""
    return [
        bisect_right(moments, claim.ts) - bisect_right(moments, fact.ts) for claim, fact in comparison.pairs
    ]
