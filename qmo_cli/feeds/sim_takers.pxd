from qmo_cli.feeds.sim_book cimport Book, RestingOrder
from qmo_cli.feeds.sim_crowd cimport Crowd
from qmo_cli.feeds.sim_dice cimport Dice
from qmo_cli.feeds.sim_exchange cimport Exchange


cdef class Takers:
    cdef Dice dice
    cdef Crowd crowd
    cdef Exchange exchange
    cdef Book book
    cdef long long[::1] trade_lots
    cdef object trade(self)
    cdef long long taker(self) noexcept
    cdef object cross(self, long long side)
    cdef object aggress(self, long long side, long long roll)
    cdef long long appetite(self, long long tick) noexcept
