ctypedef unsigned long long u64
ctypedef const unsigned char* bytes_at

cdef u64 word(bytes_at data, Py_ssize_t at) noexcept
cdef Py_ssize_t received_at(unsigned char rtype) noexcept
cdef unsigned char expected_length(unsigned char rtype) noexcept
cdef u64 indexed_at(bytes_at data, Py_ssize_t at) noexcept
cdef u64 time_of(bytes_at data, Py_ssize_t at) noexcept
cdef bint sound(bytes_at data, Py_ssize_t at) noexcept
cdef void copy(unsigned char* target, Py_ssize_t end, bytes_at data, Py_ssize_t at, Py_ssize_t length) noexcept
cdef bint kept_id(const unsigned int* ids, Py_ssize_t number, unsigned int wanted) noexcept
