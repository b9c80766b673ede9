cpdef str digits(long long value)
cpdef str text_of(long long order_id)
cpdef str side_name(int side)
