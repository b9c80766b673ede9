from qmo_cli.feeds.sim_agenda cimport Task
from qmo_cli.feeds.sim_book cimport Book, RestingOrder
from qmo_cli.feeds.sim_crowd cimport Crowd
from qmo_cli.feeds.sim_dice cimport Dice
from qmo_cli.feeds.sim_exchange cimport Exchange
from qmo_cli.feeds.sim_takers cimport Takers
from qmo_cli.feeds.sim_truth cimport Truth


cdef class Native:
    cdef RestingOrder order
    cdef long long order_id
    cdef long long side
    cdef long long tick
    cdef long long start
    cdef long long peak
    cdef long long total
    cdef long long first
    cdef long long filled
    cdef long long refreshes
    cdef long long evidence
    cdef bint removal
    cdef long long repriced
    cdef long long heart
    cdef bint follows


cdef class Icebergs:
    cdef Dice dice
    cdef Crowd crowd
    cdef Exchange exchange
    cdef Takers takers
    cdef Truth truth
    cdef Book book
    cdef long long[::1] peaks
    cdef long long[::1] multiples
    cdef long long patience
    cdef dict live
    cdef object plant(self, long long side)
    cdef Native place(self, long long side, long long tick, long long shown, long long peak, long long total)
    cdef object filled(self, RestingOrder order)
    cdef object executed(self, Native plan, RestingOrder order)
    cdef object look(self, Task task)
    cdef bint gives_up(self, long long away) noexcept
    cdef object follow(self, Native plan, RestingOrder order)
    cdef object end(self, Native plan, str outcome)
