from qmo_cli.feeds.sim_dice cimport Dice


cdef class Clock:
    cdef Dice dice
    cdef long long[::1] bursts
    cdef long long now
    cdef long long per_record
    cdef long long owed
    cdef long long burst
    cdef list paces
    cdef long long pace
    cdef Py_ssize_t pace_index
    cdef long long pace_left
    cdef long long pace_length
    cdef void owe(self, long long records) noexcept
    cdef object advance(self, long long records)
    cdef object change_pace(self)


cdef class FairValue:
    cdef Dice dice
    cdef long long start
    cdef long long value
    cdef long long drift
    cdef long long spell
    cdef long long above(self, long long bid, long long ask) noexcept
    cdef void wander(self) noexcept
    cdef void change_drift(self) noexcept
