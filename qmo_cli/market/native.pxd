cimport cython

from qmo_cli.market.orders cimport OrderTable
from qmo_cli.market.text cimport digits, side_name, text_of


@cython.final
cdef class NativeDetector:
    cdef OrderTable orders
    cdef list facts
    cdef bint silent
    cdef long long known
    cdef object fact(self, str kind, long long ts, Py_ssize_t row, long long displayed, long long filled, long long shown)
    cdef object modified(self, long long ts, Py_ssize_t row, long long price, long long shown, long long filled)
    cdef object cancelled(self, long long ts, Py_ssize_t row, long long size, long long filled)
    cdef object mark(self, Py_ssize_t row)
    cdef object lose(self, long long ts)
