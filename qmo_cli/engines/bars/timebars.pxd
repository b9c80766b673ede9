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
    cdef readonly long long grain
    cdef readonly bint ready
    cdef readonly long long rejected
    cdef readonly object reason
    cdef readonly long long newest
    cpdef list of(self, Packet packet)
    cdef list sound(self, list rows)
    cpdef object wrong(self, object row)


@cython.final
cdef class TimeBars:
    cdef readonly str period
    cdef readonly long long seconds
    cdef readonly Pieces pieces
    cdef readonly object contract
    cdef long long instrument_id
    cdef bint awaits
    cdef readonly str why_not
    cdef readonly object moved
    cdef readonly bint changed
    cdef readonly object last
    cdef readonly Forming forming
    cdef long long done
    cdef list closed
    cpdef list read(self, Packet packet)
    cdef bint makes(self, Packet packet) except? -1
    cdef object follow(self, object gap, list rows)
    cdef object add(self, object row)
    cdef Forming begin(self, long long second, double open_, bint sided)
    cdef object pass_time(self, long long second)


cpdef long long whole_seconds(str period) except? -1
cpdef long long second_of(object row) except? -1
