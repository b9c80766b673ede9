"""Hypothesis strategies: where to cut a stream."""

from __future__ import annotations

import itertools

from hypothesis import strategies as st


@st.composite
def record_cuts(draw: st.DrawFn, count: int) -> list[int]:
    """Indices of records before which to cut, ascending."""
    return sorted(draw(st.sets(st.integers(1, max(1, count - 1)), max_size=min(12, count))))


@st.composite
def byte_chunks(draw: st.DrawFn, data: bytes) -> list[bytes]:
    """The bytes in chunks that respect nothing."""
    edges = draw(st.sets(st.integers(1, max(1, len(data) - 1)), max_size=12)) if data else set()
    cuts = [0, *sorted(edges), len(data)]
    return [data[low:high] for low, high in itertools.pairwise(cuts) if low < high]
