from qmo_cli.feeds.sim_book cimport Book, Level, RestingOrder
from qmo_cli.feeds.sim_clock cimport FairValue
from qmo_cli.feeds.sim_dice cimport Dice
from qmo_cli.feeds.sim_exchange cimport Exchange


cdef class Crowd:
    cdef Dice dice
    cdef FairValue fair
    cdef Exchange exchange
    cdef Book book
    cdef long long icebergs
    cdef long long last_id
    cdef long long[::1] add_lots
    cdef long long[::1] depths
    cdef long long[::1] peaks
    cdef long long[::1] multiples
    cdef long long new_id(self) noexcept
    cdef long long lean(self) noexcept
    cdef long long room(self, long long side, long long tick) noexcept
    cdef RestingOrder candidate(self, long long side)
    cdef RestingOrder queued(self, Level level)
    cdef long long cancel_depth(self, long long side) noexcept
    cdef long long add_depth(self, long long side) noexcept
    cdef object quote(self, long long roll)
    cdef long long newcomer(self) noexcept
    cdef object join(self, long long side)
    cdef object place(self, long long side, long long tick, long long flags)
    cdef object hide(self, long long side)
    cdef object withdraw(self, RestingOrder order)
    cdef bint patient(self, RestingOrder order) noexcept
    cdef object amend(self)
    cdef object requote(self)
