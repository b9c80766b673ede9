cimport cython

from qmo_cli.live_zones cimport LiveZones
from qmo_cli.rounding cimport nearest, to_six


@cython.final
cdef class Around:
    cdef readonly LiveZones zones
    cdef object price
    cdef object tick
    cdef object atr
    cdef readonly object below
    cdef readonly object above
    cdef readonly tuple nearest
    cdef readonly bint inside
    cdef public tuple said
    cpdef object look(self, LiveZones zones, object price, object tick, object atr)
    cpdef object near(self, object zone)
