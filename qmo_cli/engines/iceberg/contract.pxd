cimport cython

from qmo_cli.engines.iceberg.chain cimport Chain, Told
from qmo_cli.engines.iceberg.chains cimport Chains, rate_of
from qmo_cli.engines.iceberg.estimate cimport Sizes
from qmo_cli.engines.iceberg.facts cimport facts_of
from qmo_cli.engines.iceberg.lives cimport Life
from qmo_cli.engines.zonebook cimport ZoneBook
from qmo_cli.engines.zones cimport Distances, LiveZone
from qmo_cli.rounding cimport to_six
from qmo_cli.sessions cimport session_name
from qmo_cli.tray cimport Packet


@cython.final
cdef class Contract:
    cdef readonly long long instrument_id
    cdef readonly dict reasons
    cdef bint by_order
    cdef double zone_ticks
    cdef double zone_atr
    cdef double half_life
    cdef double reach_ticks
    cdef double reach_atr
    cdef double window_minutes
    cdef long long most_zones
    cdef long long most_icebergs
    cdef double tick
    cdef double atr
    cdef double next_tick
    cdef double next_atr
    cdef long long next_from
    cdef bint waiting
    cdef double confidence
    cdef dict lives
    cdef tuple sizes
    cdef readonly Chains chains
    cdef object levels
    cdef readonly ZoneBook book
    cdef long long links_dropped
    cdef long long explained
    cdef list zones
    cdef list icebergs
    cdef long long zones_dropped
    cdef long long icebergs_dropped
    cdef object kept
    cpdef object advance(self, Packet packet, object inputs, double tick)
    cdef object look_at_bars(self, Packet packet, double tick)
    cdef object measure(self, double tick, double atr, long long since)
    cdef object come_to(self, long long ts)
    cdef list learn(self, Packet packet, object inputs)
    cdef object trade(self, object row)
    cdef object pass_time(self, Packet packet, long long now, list events)
    cdef object take(self, Packet packet, object fact, long long ts, list events)
    cdef object live(self, Packet packet, object fact, long long ts, list events)
    cdef object chain(self, Packet packet, Told told, long long now)
    cdef object level(self, Packet packet, object fact, long long ts, list events)
    cdef object weigh(self, str side, double price, long long ts, long long traded, double confidence, str key)
    cdef object rest(self)
    cdef object reading(self, Packet packet, list events)
    cdef object show_zones(self)
    cdef bint stands(self, object kept, list events) except? -1
    cdef tuple rate(self, long long now)


cdef double certainty(list zones) except? -1


cdef double strength(double weight, double usual) noexcept
