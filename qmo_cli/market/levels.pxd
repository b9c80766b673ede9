cimport cython

from qmo_cli.market.ladder cimport Ladder
from qmo_cli.market.rows cimport Rows
from qmo_cli.market.text cimport digits, side_name


@cython.final
cdef class LevelWatch:
    cdef list facts
    cdef Rows kept
    cdef object take(self)
    cdef object compare(self, long long ts, Rows taken, Ladder bids, Ladder asks)
    cdef object follow(self, long long ts, Rows taken, Ladder bids, Ladder asks)
    cdef object fact(
        self, long long ts, str kind, long long side, long long price, long long before, long long after,
        long long traded)
