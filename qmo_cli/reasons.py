# cython: language_level=3, auto_pickle=False
"""Why a leaf of a packet's own slots is null, in words."""

from __future__ import annotations

from qmo_cli.packets import Health, Inputs, Market

NO_CONTRACT = "contract not known: give --tick and --point-value, or a definition record"
NO_SYMBOL = "the input does not name the raw symbol"
NEEDS = {"trades": "trades", "depth": "mbp-1 or richer", "orders": "mbo"}
LEVEL_OF = {"depth": 2, "orders": 3}
_known: dict[tuple[object, ...], dict[str, str]] = {}


def reasons(symbol: str | None, market: Market, health: Health, inputs: Inputs, level: int) -> dict[str, str]:
    """A fresh ``missing`` map; the same few combinations of nulls come again and again, so they are kept."""
    depth = inputs.depth
    key = (
        symbol is None, market.price is None, market.bid is None, market.ask is None, market.bid_size is None,
        market.ask_size is None, market.volume is None,
        market.tick is None, market.point_value is None, inputs.trades is None, depth is None,
        depth is not None and depth.added_bid is None, inputs.orders is None, health.access, health.book, level,
    )
    found = _known.get(key)
    if found is None:
        found = _known[key] = _reasons(symbol, market, health, inputs, level)
    return dict(found)


def _reasons(symbol: str | None, market: Market, health: Health, inputs: Inputs, level: int) -> dict[str, str]:
    missing = {} if symbol else {"symbol": NO_SYMBOL}
    if market.price is None:
        words = "no trade and no two-sided quote yet"
        missing |= dict.fromkeys(("price", "market.price", "market.price_ts", "market.price_basis"), words)
    if market.volume is None:
        bars = health.access == "ohlcv"
        missing["market.volume"] = "no bar ended in this frame" if bars else f"needs trades, input is {health.access}"
    missing |= {f"market.{name}": NO_CONTRACT for name in ("tick", "point_value") if getattr(market, name) is None}
    missing |= _quote_reasons(market, health)
    for name in NEEDS:
        if getattr(inputs, name) is None:
            missing[f"inputs.{name}"] = _input_reason(name, health, level)
    if inputs.depth is not None and inputs.depth.added_bid is None:
        words = "needs the contract's tick" if market.tick is None else f"needs mbp-10 or mbo, input is {health.access}"
        missing |= {f"inputs.depth.{name}": words for name in ("added_bid", "removed_bid", "added_ask", "removed_ask")}
    return missing


def _quote_reasons(market: Market, health: Health) -> dict[str, str]:
    """Why a side of the quote is not there, or has a price only."""
    missing = _side_reasons(market, health)
    for side in ("bid", "ask"):
        if getattr(market, side) is not None and getattr(market, f"{side}_size") is None:
            missing[f"market.{side}_size"] = "a fetched price tells no size"
    return missing


def _side_reasons(market: Market, health: Health) -> dict[str, str]:
    sides = [side for side in ("bid", "ask") if getattr(market, side) is None]
    names = [f"market.{side}{end}" for side in sides for end in ("", "_size")]
    if sides:
        names.append("market.spread")
    if len(sides) == 2 and health.access in ("none", "ohlcv", "trades"):
        return dict.fromkeys(names, f"needs a schema with quotes, input is {health.access}")
    if health.book == "partial":
        return dict.fromkeys(names, "book incomplete: the input began without a snapshot")
    return dict.fromkeys(names, "no order on that side of the book")


def _input_reason(name: str, health: Health, level: int) -> str:
    if level < LEVEL_OF.get(name, 1):
        return f"needs l{LEVEL_OF[name]}, access is l{level}"
    if name == "depth" and health.book == "partial":
        return "book incomplete: the input began without a snapshot"
    return f"needs {NEEDS[name]}, input is {health.access}"
