# cython: language_level=3, auto_pickle=False
"""What a frame tells of hidden size, in the order of time."""

from __future__ import annotations

import cython

from qmo_cli.packets import Inputs, OrdersInput


@cython.ccall
def facts_of(inputs: Inputs) -> list:
    """All facts of a frame with their times, in the order of time; those of one kind as they came.

    A fact that comes late counts at the time that others of its kind have come to. Of equals the native ones are first.
    """
    orders, levels = inputs.orders, inputs.levels
    if orders is None:
        return [] if levels is None else [(int(fact.ts_event), fact) for fact in levels.facts]
    facts: list = [(int(fact.ts_event), fact) for fact in orders.icebergs]
    if not orders.links and not orders.ends:
        return facts
    chains: list = refills_of(orders)
    return merged(facts, chains) if facts else chains


@cython.cfunc
def merged(first: list, second: list) -> list:
    """Both lists in one, by the latest time so far in each; of equals those of the first come first."""
    facts: list = []
    place: cython.Py_ssize_t = 0
    newest: cython.longlong = 0
    latest: cython.longlong = 0
    ts: cython.longlong
    for row in second:
        ts = row[0]
        latest = max(latest, ts)
        while place < len(first):
            ts = first[place][0]
            if max(newest, ts) > latest:
                break
            newest = max(newest, ts)
            facts.append(first[place])
            place += 1
        facts.append(row)
    return facts + first[place:]


@cython.cfunc
def refills_of(orders: OrdersInput) -> list:
    """The links of each add together, and between them the ends, in the order in which they came."""
    facts: list = []
    ends: list = orders.ends
    place: cython.Py_ssize_t = 0
    told: cython.Py_ssize_t = 0
    for links in adds_of(orders.links):
        while place < len(ends) and ends[place].after <= told:
            facts.append((int(ends[place].ts_event), ends[place]))
            place += 1
        facts.append((int(links[0].ts_event), links))
        told += len(links)
    for end in ends[place:]:
        facts.append((int(end.ts_event), end))  # noqa: PERF401
    return facts


@cython.ccall
def adds_of(links: list) -> list:
    """The links of each add together; they come one after another."""
    adds: list = []
    order_id: str = ""
    for link in links:
        if not adds or link.order_id != order_id:
            order_id = link.order_id
            adds.append([])
        adds[-1].append(link)
    return adds
