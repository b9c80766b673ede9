from qmo_cli.feeds.sim_agenda cimport Task
from qmo_cli.feeds.sim_book cimport Book, Level, RestingOrder
from qmo_cli.feeds.sim_clock cimport Clock
from qmo_cli.feeds.sim_crowd cimport Crowd
from qmo_cli.feeds.sim_dice cimport Dice
from qmo_cli.feeds.sim_exchange cimport Exchange
from qmo_cli.feeds.sim_tape cimport Tape
from qmo_cli.feeds.sim_truth cimport Truth


cdef class Decoys:
    cdef Dice dice
    cdef Crowd crowd
    cdef Exchange exchange
    cdef Clock clock
    cdef Truth truth
    cdef Book book
    cdef Tape tape
    cdef long long[::1] equals
    cdef long long gap_every
    cdef long long until_gap
    cdef long long losing
    cdef long long doubtful
    cdef object equal_orders(self)
    cdef object another(self, Task task)
    cdef object put(self, long long side, long long tick, long long lots)
    cdef bint snapshot_due(self) noexcept
    cdef object snapshot(self)
    cdef long long repeat(self, Level level) except? -1
    cdef object count_down(self)
    cdef object find_gap(self)
    cdef object auction(self)
    cdef void fill_unseen(self, long long tick, long long order_id, long long lots) noexcept
