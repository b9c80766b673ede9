cimport cython

from qmo_cli.tray cimport Packet


@cython.final
cdef class Forming:
    cdef readonly long long start
    cdef readonly long long end
    cdef readonly bint sided
    cdef str text
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
    cpdef object reach(self, long long end)
    cpdef object move(self, double gap)
    cpdef object bar(self)


@cython.final
cdef class Pieces:
    cdef readonly bint seen
    cdef readonly bint traded
    cdef readonly long long grain
    cdef readonly bint ready
    cdef readonly long long rejected
    cdef readonly object reason
    cdef readonly long long newest
    cpdef list of(self, Packet packet)
    cdef list history(self, list bars, list seconds)
    cdef list sound(self, list rows)
    cpdef object wrong(self, object row)


cpdef long long second_of(object row) except? -1
