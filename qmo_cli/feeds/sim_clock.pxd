from qmo_cli.feeds.sim_dice cimport Dice


cdef class Clock:
    cdef Dice dice
    cdef long long[::1] bursts
    cdef long long now
    cdef double rate
    cdef long long per_record
    cdef long long hour_end
    cdef bint opened
    cdef long long midnight
    cdef long long owed
    cdef long long burst
    cdef bint echo
    cdef list paces
    cdef long long pace
    cdef Py_ssize_t pace_index
    cdef long long pace_left
    cdef long long pace_length
    cdef void owe(self, long long records) noexcept
    cdef bint advance(self, long long records, long long due) except? -1
    cdef long long gap(self) noexcept
    cdef object change_hour(self)
    cdef object change_pace(self)


cdef class FairValue:
    cdef Dice dice
    cdef long long start
    cdef long long value
    cdef long long drift
    cdef long long spell
    cdef long long pinned
    cdef long long above(self, long long bid, long long ask) noexcept
    cdef void wander(self) noexcept
    cdef void change_drift(self) noexcept
    cdef void turn(self, long long side) noexcept
