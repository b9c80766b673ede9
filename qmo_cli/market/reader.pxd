cimport cython

from qmo_cli.market.frameclock cimport FrameClock
from qmo_cli.market.instrument cimport Instrument
from qmo_cli.market.message cimport Message


@cython.final
cdef class Reader(FrameClock):
    cdef long long refill_window
    cdef long long sweep_window
    cdef int sweep_levels
    cdef object configure
    cdef Message message
    cdef Instrument recent
    cdef long long recent_id
    cdef readonly str fault
    cdef bint tbbo
    cdef bint take(self, Py_ssize_t at)
    cdef Instrument find(self, long long instrument_id)
    cdef bint is_sound(self)
    cdef bint goes_on(self, Instrument instrument)
    cdef object pass_time(self, Instrument instrument)
    cdef object end_other(self, Instrument instrument)
    cdef object take_order(self, Instrument instrument)
    cdef object take_bar(self, Instrument instrument)
    cdef object take_quote_or_trade(self, Instrument instrument, Py_ssize_t at)
    cdef int rank_of(self, int rtype)
