from qmo_cli.market.instrument cimport Instrument
from qmo_cli.market.message cimport Message


cdef class Reader:
    cdef int mode
    cdef long long every
    cdef int level
    cdef Py_ssize_t prints
    cdef long long refill_window
    cdef long long sweep_window
    cdef int sweep_levels
    cdef object configure
    cdef Message message
    cdef readonly dict instruments
    cdef list active
    cdef list pending
    cdef list waiting
    cdef public list closed
    cdef Instrument running
    cdef Instrument recent
    cdef long long recent_id
    cdef long long boundary
    cdef readonly long long newest
    cdef long long deadline
    cdef readonly str fault
    cdef bint tbbo
    cdef bint take(self, Py_ssize_t at)
    cdef Instrument find(self, long long instrument_id)
    cdef bint is_sound(self)
    cdef bint goes_on(self, Instrument instrument)
    cdef object pass_time(self, Instrument instrument)
    cdef object end_other(self, Instrument instrument)
    cdef object end_overdue(self)
    cdef object mark_unterminated(self, Instrument instrument)
    cdef object open_frame(self, Instrument instrument)
    cdef object take_order(self, Instrument instrument)
    cdef object take_bar(self, Instrument instrument)
    cdef object take_quote_or_trade(self, Instrument instrument, Py_ssize_t at)
    cdef int rank_of(self, int rtype)
    cdef object end_event(self, Instrument instrument)
    cdef object fill_up(self, Instrument instrument)
    cdef object cross(self, long long time)
    cdef object close(self, Instrument instrument, long long end, bint closed)
    cdef object let_go(self, Instrument instrument, long long end, bint closed)
    cdef object release(self)
    cdef list busy(self)
    cdef object end_runs(self)
    cdef object cover(self, long long end)
