cimport cython

from qmo_cli.engines.orderflow.flow cimport Window
from qmo_cli.market.rows cimport Rows
from qmo_cli.rounding cimport to_six


@cython.final
cdef class MeanImbalance:
    cdef Rows rows
    cdef Py_ssize_t first
    cdef long long asked
    cdef object found
    cpdef object add(self, object row)
    cpdef object mean(self, long long now)
    cdef object work_out(self, long long now)
    cdef void forget(self, long long oldest) noexcept


@cython.final
cdef class BookFlow:
    cdef readonly MeanImbalance imbalance
    cdef readonly Window bids
    cdef readonly Window asks
    cpdef object take(self, list rows, long long now)
    cpdef tuple moves(self)


@cython.final
cdef class Recent:
    cdef object kept
    cdef readonly object newest
    cdef readonly list shown
    cdef readonly long long dropped
    cdef long long oldest
    cdef object forget(self)
    cdef object take(self, list fresh, long long now)
