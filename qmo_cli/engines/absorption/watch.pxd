cimport cython

from qmo_cli.engines.absorption.levels cimport Level, Levels
from qmo_cli.engines.absorption.seconds cimport OneSecond, Seconds, is_beyond
from qmo_cli.engines.absorption.usual cimport Impact, UsualSizes
from qmo_cli.engines.zonebook cimport ZoneBook
from qmo_cli.engines.zones cimport Distances, LiveZone
from qmo_cli.rounding cimport nearest, to_six
from qmo_cli.tray cimport Packet


@cython.final
cdef class Watch:
    cdef long long instrument_id
    cdef str access
    cdef double confidence
    cdef object fewest
    cdef double share
    cdef double move_ticks
    cdef long long rearm
    cdef double half_life
    cdef long long most_zones
    cdef double zone_ticks
    cdef double zone_atr
    cdef double reach_ticks
    cdef double reach_atr
    cdef double tick
    cdef double atr
    cdef double next_atr
    cdef long long atr_from
    cdef double close
    cdef long long done
    cdef long long flow
    cdef long long detected
    cdef long long turn
    cdef Seconds seconds
    cdef Levels levels
    cdef UsualSizes usual
    cdef Impact impact
    cdef ZoneBook book
    cdef dict told
    cdef object holding
    cdef object last
    cdef list zones
    cdef long long dropped
    cdef list events
    cpdef bint is_of(self, long long instrument_id, str access) except? -1
    cpdef object advance(self, Packet packet, double tick, object bars, object trades, object depth, object orders)
    cdef bint waits(self, long long last) except? -1
    cdef object look_at_bars(self, object bars)
    cdef object come_to(self, long long second)
    cdef object measure(self, long long since)
    cdef object pass_time(self, Packet packet, long long second)
    cdef object end(self, Packet packet)
    cdef object live(self, Packet packet, OneSecond one)
    cdef object give_way(self, OneSecond one)
    cdef object judge(self, Packet packet, long long second, list struck, tuple unusual)
    cdef object hold(self, Packet packet, long long second, Level level, tuple unusual)
    cdef object weigh(self, Level level, long long threshold)
    cdef str name_of(self, Level level)
    cdef object event(self, Packet packet, Level level, object kind, object how)
    cdef object public(self, Level level)
    cdef object reading(self, Packet packet)
    cdef object show_zones(self)
    cdef Py_ssize_t recent(self, long long since) except? -1
    cdef list current(self)
    cdef long long absorbed(self, bint bid, long long first) except? -1
