from qmo_cli.feeds.sim_agenda cimport Task
from qmo_cli.feeds.sim_book cimport Book, RestingOrder
from qmo_cli.feeds.sim_crowd cimport Crowd
from qmo_cli.feeds.sim_dice cimport Dice
from qmo_cli.feeds.sim_exchange cimport Exchange


cdef class Makers:
    cdef Dice dice
    cdef Crowd crowd
    cdef Exchange exchange
    cdef Book book
    cdef object requote(self)
    cdef object plan(self, long long side, long long tick, long long lots)
    cdef object again(self, Task task)
    cdef object quote(self, str decoy, long long side, long long tick, long long lots)
    cdef object filled(self, RestingOrder order)
