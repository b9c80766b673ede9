# cython: language_level=3, auto_pickle=False
"""The stages between the router and the decision: engines chosen, set and run on each packet."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from time import perf_counter_ns
from typing import Any

from qmo_cli.blocks import Block
from qmo_cli.engines import ENGINES
from qmo_cli.engines.base import Engine, Keeper
from qmo_cli.errors import BadData, ConfigurationError, UsageError
from qmo_cli.packets import Missing
from qmo_cli.router import Router
from qmo_cli.tray import SLOT_ORDER, Packet

SCORED = (*ENGINES, "score", "signal")
SLOT_ORDER[:] = SCORED


def choose(names: Sequence[str]) -> list[str]:
    """Engine names in table order; ``all`` is every one."""
    unknown = [name for name in names if name != "all" and name not in ENGINES]
    if unknown:
        raise UsageError(f"no engine {unknown[0]!r}; there are {', '.join(ENGINES)}")
    return [name for name in ENGINES if "all" in names or name in names]


def parameters(engine: type[Engine]) -> dict[str, Any]:
    """The parameters of an engine: its dataclass fields that are not state."""
    return {field.name: field for field in dataclasses.fields(engine) if field.init}  # type: ignore[arg-type]


def parse_settings(texts: Iterable[str]) -> dict[str, dict[str, Any]]:
    """``iceberg.zone_ticks=3`` and the like: engine -> parameter -> value."""
    settings: dict[str, dict[str, Any]] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        engine, dot, name = key.partition(".")
        if not equals or not dot:
            raise UsageError(f"{text!r} is not of the form ENGINE.PARAMETER=VALUE, such as iceberg.zone_ticks=3")
        settings.setdefault(engine, {})[name] = value
    return settings


def check_settings(settings: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Settings with every value as its parameter wants it. Raises ConfigurationError naming what does not fit."""
    return {
        engine: {name: _setting(engine, name, value) for name, value in values.items()}
        for engine, values in settings.items()
    }


def _setting(engine: str, name: str, value: Any) -> Any:
    known = parameters(ENGINES[engine]) if engine in ENGINES else None
    if known is None:
        raise ConfigurationError(f"no engine {engine!r}; there are {', '.join(ENGINES)}")
    if name not in known:
        raise ConfigurationError(f"engine {engine} has no parameter {name!r}; it has {', '.join(known)}")
    kind = type(known[name].default)
    try:
        return kind(value) if kind is not bool else str(value).lower() in ("1", "true", "yes", "on")
    except ValueError as error:
        raise ConfigurationError(f"{engine}.{name}={value}: {kind.__name__} expected") from error


class Engines:
    """The chosen engines, one set of instances for each series. Close them when the input has ended."""

    def __init__(
        self, names: Sequence[str] = ("all",), settings: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self.names = choose(names)
        self.settings = check_settings(settings or {})
        self.series: dict[str, list[Engine]] = {}
        self.nanoseconds = dict.fromkeys(self.names, 0)
        self.timing = False
        self.models = [self._build(name) for name in self.names]  # a wrong parameter shows before any data

    def _build(self, name: str) -> Engine:
        return ENGINES[name](**self.settings.get(name, {}))

    def _another(self) -> list[Engine]:
        """Engines for another series; those that keep something share their store."""
        return [
            model.sibling() if isinstance(model, Keeper) else self._build(model.name) for model in self.models
        ]

    def close(self) -> None:
        """Let the engines that keep something write what they still hold."""
        for model in self.models:
            if isinstance(model, Keeper):
                model.close()

    def update(self, packet: Packet) -> None:
        """Put every engine's reading into its slot, and the reasons of what it leaves null into ``missing``."""
        engines = self.series.get(packet.series)
        if engines is None:
            engines = self.series[packet.series] = self._another()
        if self.timing:
            self._update_timed(packet, engines)
            return
        for engine in engines:
            _run(engine, packet)

    def _update_timed(self, packet: Packet, engines: list[Engine]) -> None:
        for engine in engines:
            start = perf_counter_ns()
            _run(engine, packet)
            self.nanoseconds[engine.name] += perf_counter_ns() - start


def _run(engine: Engine, packet: Packet) -> None:
    name = engine.name
    reading = engine.update(packet)
    if isinstance(reading, Missing):
        packet.slots[name] = None
        packet.missing[name] = reading.reason
        return
    packet.slots[name] = reading
    for leaf, reason in engine.reasons.items():
        packet.missing[f"{name}.{leaf}"] = reason


def routed(router: Router, blocks: Iterable[Block]) -> Iterator[list[Packet]]:
    """Packets as blocks close them; bad data ends the stream, but only after all that was read before it."""
    try:
        for block in blocks:
            yield router.read(block)
    except BadData:
        yield router.finish()
        raise
    yield router.finish()
