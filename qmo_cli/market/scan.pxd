from libc.string cimport memchr, memcmp, memcpy, strlen

ctypedef unsigned long long u64
ctypedef const unsigned char* bytes_at

cdef u64 number_at(bytes_at data, Py_ssize_t at, Py_ssize_t size) noexcept
cdef Py_ssize_t newline(bytes_at text, Py_ssize_t at, Py_ssize_t stop) noexcept
cdef Py_ssize_t after(bytes_at text, Py_ssize_t at, Py_ssize_t eol, const char* wanted) noexcept
cdef Py_ssize_t digits_end(bytes_at text, Py_ssize_t at) noexcept
cdef u64 value_of(bytes_at text, Py_ssize_t at, Py_ssize_t end) noexcept
cdef void store(unsigned char* record, Py_ssize_t at, u64 value, Py_ssize_t size) noexcept
cdef Py_ssize_t read_number(bytes_at text, Py_ssize_t at, unsigned char* record, Py_ssize_t target, Py_ssize_t size, u64 most) noexcept
cdef Py_ssize_t read_time(bytes_at text, Py_ssize_t at, Py_ssize_t eol, unsigned char* record, Py_ssize_t target) noexcept
cdef Py_ssize_t read_price(bytes_at text, Py_ssize_t at, Py_ssize_t eol, unsigned char* record, Py_ssize_t target, bint needed) noexcept
cdef Py_ssize_t read_delta(bytes_at text, Py_ssize_t at, unsigned char* record, Py_ssize_t target) noexcept
cdef Py_ssize_t read_letters(bytes_at text, Py_ssize_t at, Py_ssize_t eol, unsigned char* record, Py_ssize_t target) noexcept
cdef Py_ssize_t read_body(bytes_at text, Py_ssize_t at, Py_ssize_t eol, unsigned char* record, Py_ssize_t target) noexcept
cdef Py_ssize_t read_rest(bytes_at text, Py_ssize_t at, Py_ssize_t eol, unsigned char* record, Py_ssize_t target) noexcept
