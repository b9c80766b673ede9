from qmo_cli.feeds.sim_agenda cimport Task
from qmo_cli.feeds.sim_book cimport Book, RestingOrder
from qmo_cli.feeds.sim_crowd cimport Crowd
from qmo_cli.feeds.sim_dice cimport Dice
from qmo_cli.feeds.sim_exchange cimport Exchange
from qmo_cli.feeds.sim_truth cimport Truth


cdef class Synthetic:
    cdef RestingOrder order
    cdef long long side
    cdef long long tick
    cdef long long start
    cdef long long pattern
    cdef long long clip
    cdef long long total
    cdef long long filled
    cdef long long sent
    cdef long long heart
    cdef long long tries
    cdef list tranches


cdef class Synthetics:
    cdef Dice dice
    cdef Crowd crowd
    cdef Exchange exchange
    cdef Truth truth
    cdef Book book
    cdef long long[::1] clips
    cdef long long[::1] multiples
    cdef long long[::1] refills
    cdef long long patience
    cdef dict live
    cdef object plant(self, long long side)
    cdef object send(self, Synthetic plan)
    cdef long long clip(self, Synthetic plan) noexcept
    cdef object filled(self, RestingOrder order)
    cdef object refill(self, Task task)
    cdef object watch(self, Task task)
    cdef object end(self, Synthetic plan, str outcome)
