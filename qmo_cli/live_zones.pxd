cimport cython

from qmo_cli.tray cimport Packet


@cython.final
cdef class LiveZones:
    cdef readonly list zones
    cdef list centres
    cdef list rows
    cdef double margin
    cpdef tuple within(self, double price, double reach)
    cpdef tuple around(self, double price)


cdef double weight_of(object zone, double age) except? -1


@cython.final
cdef class ZoneMemo:
    cdef object listed
    cdef LiveZones arranged
    cpdef LiveZones of(self, Packet packet)
