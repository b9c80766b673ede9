from libc.string cimport memcpy, strlen

ctypedef unsigned long long u64
ctypedef const unsigned char* bytes_at

cdef u64 number_at(bytes_at data, Py_ssize_t at, Py_ssize_t size) noexcept
cdef Py_ssize_t put(unsigned char* line, Py_ssize_t end, const char* text) noexcept
cdef Py_ssize_t put_bytes(unsigned char* line, Py_ssize_t end, bytes_at text, Py_ssize_t length) noexcept
cdef Py_ssize_t digits_of(u64 value) noexcept
cdef Py_ssize_t put_number(unsigned char* line, Py_ssize_t end, u64 value) noexcept
cdef Py_ssize_t put_signed(unsigned char* line, Py_ssize_t end, long long value) noexcept
cdef Py_ssize_t put_price(unsigned char* line, Py_ssize_t end, long long price) noexcept
cdef Py_ssize_t put_time(unsigned char* line, Py_ssize_t end, u64 ts) noexcept
cdef Py_ssize_t put_body(unsigned char* line, Py_ssize_t end, bytes_at data, Py_ssize_t at) noexcept
