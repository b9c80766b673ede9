from qmo_cli.feeds.sim_book cimport RestingOrder


cdef class Task:
    cdef long long due
    cdef long long number
    cdef long long what
    cdef RestingOrder order
    cdef long long order_id
    cdef object plan
    cdef long long side
    cdef long long tick
    cdef long long lots
    cdef bint stands(self) noexcept
    cdef bint before(self, Task other) noexcept


cdef class Agenda:
    cdef list heap
    cdef list spare
    cdef long long due
    cdef long long noted
    cdef Task note(self, long long due, long long what, RestingOrder order, object plan)
    cdef Task next(self)
    cdef object recycle(self, Task task)
    cdef object rise(self, Py_ssize_t place)
    cdef object sink(self)
