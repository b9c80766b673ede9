cimport cython

from qmo_cli.tray cimport Packet


@cython.final
cdef class Life:
    cdef readonly object fact
    cdef readonly long long first_seen
    cdef bint known
    cdef bint moved
    cdef readonly long long reloads
    cdef readonly long long largest
    cdef long long common
    cdef readonly long long misfits
    cdef public long long hidden
    cdef object recent
    cdef list fitting
    cdef public object estimate
    cdef object shown
    cpdef list take(self, object fact)
    cdef object refresh(self, object fact)
    cpdef object public(self)
    cpdef object event(self, Packet packet, object kind)
