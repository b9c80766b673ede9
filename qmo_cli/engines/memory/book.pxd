cimport cython

from qmo_cli.engines.memory.map cimport ZoneMap
from qmo_cli.engines.memory.place cimport Control, Place, Remembered


@cython.final
cdef class MemoryBook:
    cdef readonly object days
    cdef readonly object patience
    cdef readonly object tell
    cdef public object far
    cdef readonly ZoneMap map
    cdef readonly dict zones
    cdef readonly dict controls
    cdef readonly dict open
    cdef readonly list falls
    cdef readonly list rises
    cdef readonly long long stamps
    cdef readonly object outcomes
    cdef readonly set decided
    cdef readonly object pairs
    cdef readonly object tally
    cdef readonly object counted
    cdef readonly long long second
    cdef double first
    cdef double low
    cdef double high
    cdef double close
    cdef public bint changed
    cpdef object trade(self, long long second, double open_, double low, double high, double close)
    cpdef object finish(self, long long now)
    cdef bint is_reached(self) except? -1
    cdef object meet(self, object traded, object far)
    cdef list triggered(self, double low, double high)
    cpdef object watch(self, Place place)
