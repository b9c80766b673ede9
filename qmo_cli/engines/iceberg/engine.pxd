from qmo_cli.engines.zonebook cimport ZoneBook
from qmo_cli.engines.zones cimport Distances, LiveZone
from qmo_cli.rounding cimport to_six
from qmo_cli.tray cimport Packet


cdef double strength(double weight, double usual) noexcept
