from qmo_cli.feeds.sim_agenda cimport Agenda, Task
from qmo_cli.feeds.sim_book cimport Book, Level, RestingOrder
from qmo_cli.feeds.sim_clock cimport FairValue
from qmo_cli.feeds.sim_dice cimport Dice
from qmo_cli.feeds.sim_exchange cimport Exchange


cdef class Crowd:
    cdef Dice dice
    cdef FairValue fair
    cdef Exchange exchange
    cdef Book book
    cdef Agenda agenda
    cdef long long last_id
    cdef long long[::1] add_lots
    cdef long long[::1] depths
    cdef long long new_id(self) noexcept
    cdef long long lean(self) noexcept
    cdef long long room(self, long long side, long long tick) noexcept
    cdef RestingOrder candidate(self, long long side)
    cdef RestingOrder anybody(self)
    cdef RestingOrder queued(self, Level level)
    cdef long long cancel_depth(self, long long side) noexcept
    cdef long long add_depth(self, long long side) noexcept
    cdef object quote(self, long long roll)
    cdef long long newcomer(self) noexcept
    cdef object join(self, long long side)
    cdef RestingOrder place(self, long long side, long long tick, long long flags)
    cdef Task later(self, long long delay, long long what, RestingOrder order, object plan)
    cdef object leave(self, Task task)
    cdef bint free(self, RestingOrder order) noexcept
    cdef object withdraw(self, RestingOrder order)
    cdef object amend(self)
    cdef object resize(self, RestingOrder order, long long lots)
