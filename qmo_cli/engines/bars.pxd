cimport cython

from qmo_cli.tray cimport Packet


@cython.final
cdef class Forming:
    cdef readonly long long index
    cdef readonly long long period
    cdef readonly bint sided
    cdef readonly double open
    cdef readonly double high
    cdef readonly double low
    cdef readonly double close
    cdef readonly long long volume
    cdef readonly long long buy
    cdef readonly long long sell
    cdef readonly long long trades
    cpdef object take_second(self, object row)
    cpdef object take_bar(self, object row)
    cdef object take(self, double high, double low, double close)
    cpdef object bar(self)
