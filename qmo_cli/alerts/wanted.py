"""Which alerts are asked for: topics such as decision or iceberg, or single kinds of them, such as iceberg:detected."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import get_args, get_type_hints

from ..errors import UsageError

DECISION, DATA, SYSTEM = "decision", "data", "system"
ENGINES = ("iceberg", "memory", "absorption", "liquidity")   # those whose events are lines of their own
KINDS = {
    DECISION: ("opened", "reversed", "closed"),
    DATA: ("stale", "halted", "recovered", "late", "caught-up", "silent", "heard", "ended", "overflow"),
}
TOPICS = (DECISION, DATA, SYSTEM, *ENGINES)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Topics, and kinds as (topic, kind)."""

    topics: frozenset[str] = frozenset()
    kinds: frozenset[tuple[str, str]] = frozenset()

    @classmethod
    def of(cls, texts: Iterable[str], option: str) -> Wanted:
        """What TOPIC[:KIND],... asks for. Raises UsageError for what does not exist."""
        items = [item.strip() for text in texts for item in text.split(",") if item.strip()]
        pairs = [parsed(item, option) for item in items]
        return cls(frozenset(topic for topic, kind in pairs if not kind), frozenset(pair for pair in pairs if pair[1]))

    def __call__(self, topic: str, kind: str) -> bool:
        return topic in self.topics or (topic, kind) in self.kinds

    def any_of(self, topic: str) -> bool:
        """Whether anything of a topic is wanted."""
        return topic in self.topics or any(topic == named for named, _ in self.kinds)


def parsed(item: str, option: str) -> tuple[str, str]:
    """Topic and kind; no kind stands for all of them."""
    topic, _, kind = item.partition(":")
    topic = topic.removesuffix("-event")
    if topic not in TOPICS:
        raise UsageError(f"{option} {item}: there is no {topic!r}; there are {', '.join(TOPICS)}")
    known = kinds_of(topic) if kind else ()
    if known and kind not in known:
        raise UsageError(f"{option} {item}: {topic} has no {kind!r}; it has {', '.join(known)}")
    return topic, kind


def kinds_of(topic: str) -> tuple[str, ...]:
    """The kinds of a topic; nothing where any word may be one."""
    if topic not in ENGINES:
        return KINDS.get(topic, ())
    from ..schemas import event_types

    kinds: tuple[str, ...] = get_args(get_type_hints(event_types()[f"{topic}-event"])["kind"])
    return kinds
