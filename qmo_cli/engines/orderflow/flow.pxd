cimport cython

from qmo_cli.rounding cimport nearest, to_six
from qmo_cli.market.profile cimport Profile
from qmo_cli.market.rows cimport Rows


@cython.final
cdef class Window:
    cdef readonly long long length
    cdef readonly long long buy
    cdef readonly long long sell
    cdef readonly long long none
    cdef Rows rows
    cdef Py_ssize_t first
    cpdef object add(self, long long second, long long buy, long long sell, long long none)
    cpdef object expire(self, long long now)


@cython.final
cdef class BookWindow:
    cdef readonly long long length
    cdef Rows rows
    cdef Rows totals
    cdef Py_ssize_t first
    cpdef object add(self, list flows)
    cpdef object expire(self, long long now)
    cpdef list sums(self, Py_ssize_t ranks)


@cython.final
cdef class Minutes:
    cdef readonly long long minute
    cdef readonly long long earliest
    cdef readonly long long delta
    cdef readonly long long volume
    cdef readonly object rows
    cdef readonly list volumes
    cdef readonly list deltas
    cdef readonly double usual
    cpdef bint add(self, long long second, long long buy, long long sell, long long none) except? -1
    cpdef bint close_before(self, long long minute) except? -1
    cpdef object forget(self, long long minute)
    cpdef object heat(self, long long delta)


cpdef double flow_score(
    long long delta, long long volume, long long delta_long, long long volume_long, double usual, object heat,
) except? -1


cpdef double less_absorbed(
    double score, long long bought, long long sold, long long absorbed_buy, long long absorbed_sell,
) except? -1


@cython.final
cdef class Anchored:
    cdef readonly Profile profile
    cdef readonly long long cvd
    cdef readonly long long volume
    cdef object price_volume
    cdef object square_volume
    cpdef object add(self, object trades, object tick)
    cdef object place(self, double price, double tick, long long buy, long long sell, long long none)
    cpdef tuple vwap(self)
