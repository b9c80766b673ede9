cimport cython

from qmo_cli.engines.bars.pieces cimport Forming, Pieces
from qmo_cli.tray cimport Packet


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
