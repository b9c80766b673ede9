from qmo_cli.feeds.sim_clock cimport Clock, FairValue
from qmo_cli.feeds.sim_crowd cimport Crowd
from qmo_cli.feeds.sim_dice cimport Dice
from qmo_cli.feeds.sim_exchange cimport Exchange
from qmo_cli.feeds.sim_takers cimport Takers
from qmo_cli.feeds.sim_tape cimport Tape


cdef class Market:
    cdef Dice dice
    cdef Clock clock
    cdef FairValue fair
    cdef Tape tape
    cdef Exchange exchange
    cdef Crowd crowd
    cdef Takers takers
    cdef bint over
    cdef object event(self, long long room)
    cdef object act(self, long long roll)
