cimport cython

from qmo_cli.engines.liquidity.book cimport BookFlow, Recent
from qmo_cli.engines.liquidity.words cimport Story, expectation
from qmo_cli.engines.orderflow.flow cimport Window
from qmo_cli.live_zones cimport LiveZones, ZoneMemo
from qmo_cli.rounding cimport to_six
from qmo_cli.tray cimport Packet
from qmo_cli.views cimport reason


@cython.final
cdef class Series:
    cdef object engine
    cdef readonly dict reasons
    cdef bint own_bars
    cdef object own
    cdef double near_ticks
    cdef long long instrument_id
    cdef str access
    cdef object tick
    cdef object grabs
    cdef str blocked
    cdef BookFlow book
    cdef Window swept
    cdef long long second
    cdef Recent sweeps
    cdef Recent runs
    cdef bint sided
    cdef bint traded
    cdef Story story
    cdef ZoneMemo zones
    cdef object looked_zones
    cdef object looked_price
    cdef object near
    cdef object absorbed_zones
    cdef object absorbed
    cdef tuple made_of
    cdef object failed
    cdef object grab
    cpdef object advance(self, Packet packet)
    cdef object begin_contract(self, long long instrument_id)
    cdef object begin_grabs(self)
    cdef object weigh(self)
    cdef object bars(self, Packet packet)
    cdef list look_for_grabs(self, Packet packet)
    cdef object take(self, list sweeps, list runs, object depth, long long now)
    cdef object reading(self, Packet packet, object depth, list events, bint by_order)
    cdef object facts(self, Packet packet, object flow, object absorption)
    cdef object absorbed_in(self, list zones)
    cdef object nearest(self, Packet packet)
    cdef object explain(self, Packet packet, object depth, tuple known)


cpdef double sweep_balance(long long up, long long down) except? -9


cpdef double liquidity_score(object balance, object failed, object lopsided) except? -9
