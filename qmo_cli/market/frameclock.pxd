from qmo_cli.market.instrument cimport Instrument


cdef class FrameClock:
    cdef int mode
    cdef long long every
    cdef int level
    cdef Py_ssize_t prints
    cdef readonly dict instruments
    cdef list active
    cdef list pending
    cdef list waiting
    cdef public list closed
    cdef Instrument running
    cdef long long boundary
    cdef readonly long long newest
    cdef long long deadline
    cdef object end_overdue(self)
    cdef object mark_unterminated(self, Instrument instrument)
    cdef object open_frame(self, Instrument instrument)
    cdef object end_event(self, Instrument instrument)
    cdef object fill_up(self, Instrument instrument)
    cdef object cross(self, long long time)
    cdef object close(self, Instrument instrument, long long end, bint closed)
    cdef object take_fact(self, Instrument instrument, long long ts, object fact)
    cdef object catch_up(self, Instrument instrument, bint closed)
    cdef object close_rest(self, bint closed)
    cdef object let_go(self, Instrument instrument, long long end, bint closed)
    cdef object release(self)
    cdef list busy(self)
    cdef object end_runs(self)
    cdef object cover(self, long long end)
