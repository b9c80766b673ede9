cpdef object session(long long ts)
cpdef str session_name(long long ts)
