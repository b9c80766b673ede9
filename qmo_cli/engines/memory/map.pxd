cimport cython

from qmo_cli.engines.memory.place cimport Remembered
from qmo_cli.rounding cimport nearest


@cython.final
cdef class ZoneMap:
    cdef readonly dict zones
    cdef readonly list lows
    cdef readonly list highs
    cdef readonly double widest
    cpdef list near(self, double price, double reach, Py_ssize_t most)
    cpdef Py_ssize_t count(self, double low, double high) except? -1
