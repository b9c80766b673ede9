cpdef str iso(long long ts)
