cimport cython

from qmo_cli.live_zones cimport LiveZones, ZoneMemo
from qmo_cli.rounding cimport to_six
from qmo_cli.signals.near cimport Around
from qmo_cli.tray cimport Packet
from qmo_cli.views cimport reason


@cython.final
cdef class Scene:
    cdef readonly Around around
    cdef ZoneMemo memo
    cdef readonly Packet packet
    cdef readonly object market
    cdef readonly object health
    cdef readonly object session
    cdef readonly object spec
    cdef readonly object flow
    cdef readonly object iceberg
    cdef readonly object atr
    cdef readonly object price_age
    cdef readonly dict lost
    cdef readonly LiveZones zones
    cpdef object look(self, Packet packet, object market, object session, object spec)
    cpdef str why(self, str path, str otherwise)
    cpdef str atr_reason(self)
    cpdef object opposing(self, int sign, double target)
    cpdef object context(self, object opposing)
    cdef object flow_gaps(self)
    cdef object band(self, object vwap)
    cdef object day(self)
    cdef object news(self)
    cdef object zone_gaps(self)
    cpdef object zone_units(self, str place, object zone)
    cdef object absorption(self)
    cdef tuple dates(self)
