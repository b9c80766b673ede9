cdef class Truth:
    cdef bint on
    cdef long long lowest
    cdef list lines
    cdef bint blind
    cdef bint lost
    cdef double price(self, long long tick) except? -1
    cdef object decoy(self, str name, long long ts, long long order_id, long long side, long long tick)
