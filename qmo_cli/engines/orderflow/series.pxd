cimport cython

from qmo_cli.engines.orderflow.flow cimport Anchored, BookWindow, Minutes, Window, flow_score, less_absorbed
from qmo_cli.engines.orderflow.vpin cimport Vpin
from qmo_cli.market.profile cimport Profile
from qmo_cli.rounding cimport to_six
from qmo_cli.sessions cimport session
from qmo_cli.tray cimport Packet
from qmo_cli.views cimport reason


@cython.final
cdef class Series:
    cdef object engine
    cdef readonly dict reasons
    cdef tuple reasoned
    cdef double enough
    cdef long long large_minimum
    cdef double large_multiple
    cdef long long instrument_id
    cdef long long day_end
    cdef str anchor
    cdef str access
    cdef readonly Window short
    cdef readonly Window long
    cdef BookWindow book
    cdef readonly Minutes minutes
    cdef readonly Vpin vpin
    cdef readonly Anchored since
    cdef double vwap
    cdef double deviation
    cdef list bands
    cdef list imbalances
    cdef list stacked
    cdef list clusters
    cdef tuple area
    cdef object poc
    cdef object vah
    cdef object val
    cpdef object advance(self, Packet packet)
    cdef object look_at_book(self, Packet packet, object depth)
    cdef object pass_time(self, Packet packet, object tick)
    cdef object take(self, object trades, list rows, object tick)
    cdef object begin_day(self, long long second)
    cdef object begin_contract(self, long long instrument_id)
    cdef object forget_levels(self)
    cdef object find_levels(self, object tick)
    cdef object find_places(self, object tick)
    cdef list large(self, list prints, object depth)
    cdef object reading(self, Packet packet, object market, object trades, object depth)
    cdef object explain(self, Packet packet, bint cold, bint unquoted, bint unabsorbed, bint bookless)


cpdef str bias(double score)


cpdef object weighted_mid(object market)
