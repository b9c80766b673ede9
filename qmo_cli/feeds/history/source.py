"""The vendor's history as blocks: planned, paid after consent, cached, and read in the order of time."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from ...blocks import UNDEF_TIME, Block
from ...errors import UsageError
from ...records import OURS, RECORD_TYPES, System, to_dbn
from .client import Client
from .cost import Ask, settle
from .join import fresh_names, merged
from .names import readable
from .options import HistoryOptions
from .plan import Plan, Tell, make_plan
from .stream import read_plan

logger = logging.getLogger(__name__)


def history(
    options: HistoryOptions, *, schemas: Sequence[str], symbols: Sequence[str], start: int | None,
    end: int | None = None, ask: Ask | None = None, tell: Tell | None = None, skip_bad: bool = False,
) -> Iterator[Block]:
    """Records of the vendor's history with start <= index time < end (ns), those of all schemas and symbols by time.

    What is in the cache is read from there, the rest downloaded piece by piece as it is read; its cost is shown and
    agreed to before anything is. ``ask`` puts a question to a person; without it, what costs more than
    ``options.max_cost`` is refused. ``end`` None: as far as the vendor has data. The plan is made, and the cost agreed
    to, in this call; downloads happen while the blocks are read, and ``tell`` learns how many of how many are done.

    Index time is ts_recv; of bars, ts_event, which is their open. Raises UsageError, NotEntitled, SourceUnavailable
    (what was downloaded by then stays in the cache, and the same call goes on from there) and BadData.
    """
    check(schemas, symbols, start, end)
    assert start is not None
    client = Client(options.dataset, options.url)
    plan = make_plan(options, client, schemas, symbols, start, end)
    plan.tell = tell
    settle(plan, options, ask)
    return iter(()) if options.dry_run else blocks_of(plan, client, skip_bad=skip_bad)


def check(schemas: Sequence[str], symbols: Sequence[str], start: int | None, end: int | None) -> None:
    """Refuse what cannot be asked for."""
    if start is None:
        raise UsageError("history needs a --start, such as --start 2026-03-02 or --start -5d")
    if not 0 <= start <= UNDEF_TIME // 2 or (end is not None and end <= start):
        raise UsageError("history's --end must be later than its --start")
    for schema in schemas:
        if schema not in RECORD_TYPES or schema in OURS:
            known = ", ".join(name for name in RECORD_TYPES if name not in OURS)
            raise UsageError(f"{schema!r} is not a schema; the schemas are {known}")
    if not schemas or not all(symbols) or not symbols:
        raise UsageError("history needs a schema and a symbol")


def blocks_of(plan: Plan, client: Client, *, skip_bad: bool) -> Iterator[Block]:
    """The records of a plan that was agreed to."""
    streams = [read_plan(stream, plan, client, skip_bad=skip_bad) for stream in plan.streams]
    if plan.conditions:
        streams.insert(0, iter([gap(plan, day, condition) for day, condition in sorted(plan.conditions.items())]))
    yield from fresh_names(merged(streams))


def gap(plan: Plan, day: int, condition: str) -> Block:
    """The system record that says that a day's records may not be all there are."""
    words = f"{plan.dataset}, {readable(day)}: {condition}, says the vendor: records may be missing"
    logger.warning("%s", words)
    return Block(to_dbn(System(ts_event=str(max(day, plan.start)), kind="gap", detail=words)), "history")


