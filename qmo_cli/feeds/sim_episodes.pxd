from qmo_cli.feeds.sim_book cimport Book, Level, RestingOrder
from qmo_cli.feeds.sim_clock cimport FairValue
from qmo_cli.feeds.sim_crowd cimport Crowd
from qmo_cli.feeds.sim_dice cimport Dice
from qmo_cli.feeds.sim_exchange cimport Exchange
from qmo_cli.feeds.sim_icebergs cimport Icebergs
from qmo_cli.feeds.sim_takers cimport Takers
from qmo_cli.feeds.sim_truth cimport Truth


cdef class Episodes:
    cdef Dice dice
    cdef FairValue fair
    cdef Crowd crowd
    cdef Exchange exchange
    cdef Takers takers
    cdef Icebergs icebergs
    cdef Truth truth
    cdef Book book
    cdef bint hidden
    cdef long long quiet
    cdef long long side
    cdef long long tick
    cdef long long start
    cdef long long traded
    cdef long long wanted
    cdef list wall
    cdef long long levels
    cdef long long swept
    cdef long long to
    cdef long long size
    cdef long long aggressors
    cdef object begin(self)
    cdef object begin_absorption(self)
    cdef object absorb(self)
    cdef object support(self)
    cdef object end_absorption(self)
    cdef object filled(self, RestingOrder order)
    cdef object sweep(self)
    cdef long long marks(self, long long side, long long limit) except? -1
    cdef void count(self, long long marks, long long last) noexcept
    cdef long long reach(self, long long side) except? -1
    cdef long long wanted_lots(self, long long side, long long limit) except? -1
    cdef object cascade(self)
