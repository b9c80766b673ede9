cimport cython

from qmo_cli.market.rows cimport Rows


@cython.final
cdef class Event:
    cdef bint open
    cdef bint snapshot
    cdef bint auction
    cdef bint covered
    cdef long long time
    cdef long long ts_event
    cdef long long traded
    cdef long long unsided
    cdef long long passive
    cdef long long unexplained
    cdef Rows fills
    cdef Rows touches
    cdef Rows taken
    cdef Rows prints
    cdef Rows levels
    cdef void begin(self, long long time, long long ts_event, bint snapshot) noexcept
    cdef int trade(self, int side, long long price, long long size, long long aggressor) except? -1
    cdef bint is_aggressor(self, long long order_id) noexcept
    cdef int fill(self, long long order_id, long long size, bint away) except? -1
    cdef long long filled_away(self, long long order_id) noexcept
    cdef long long take_fill(self, long long order_id) noexcept
    cdef bint is_uncross(self) noexcept
    cdef int touch(self, int side, long long price, long long size) except? -1
    cdef int take(self, int resting, long long price, long long size) except? -1


cdef int add_at(Rows rows, long long price, int side, long long size) except? -1
