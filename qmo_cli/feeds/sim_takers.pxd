from qmo_cli.feeds.sim_agenda cimport Task
from qmo_cli.feeds.sim_book cimport Book, RestingOrder
from qmo_cli.feeds.sim_crowd cimport Crowd
from qmo_cli.feeds.sim_dice cimport Dice
from qmo_cli.feeds.sim_exchange cimport Exchange
from qmo_cli.feeds.sim_truth cimport Truth


cdef class Takers:
    cdef Dice dice
    cdef Crowd crowd
    cdef Exchange exchange
    cdef Truth truth
    cdef Book book
    cdef long long[::1] trade_lots
    cdef long long guarded
    cdef long long guard
    cdef object trade(self)
    cdef long long taker(self) noexcept
    cdef long long limit(self, long long side, long long reach) noexcept
    cdef object imply(self, long long side)
    cdef object unattributed(self, long long side)
    cdef object modify_across(self, long long side)
    cdef object aggress(self, long long side, long long roll)
    cdef object set_off(self, long long side, long long limit, long long stops)
    cdef long long appetite(self, long long tick) noexcept
    cdef object hit(self, Task task)
