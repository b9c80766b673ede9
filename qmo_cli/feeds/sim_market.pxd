from qmo_cli.feeds.sim_agenda cimport Agenda, Task
from qmo_cli.feeds.sim_book cimport RestingOrder
from qmo_cli.feeds.sim_clock cimport Clock, FairValue
from qmo_cli.feeds.sim_crowd cimport Crowd
from qmo_cli.feeds.sim_decoys cimport Decoys
from qmo_cli.feeds.sim_dice cimport Dice
from qmo_cli.feeds.sim_episodes cimport Episodes
from qmo_cli.feeds.sim_exchange cimport Exchange
from qmo_cli.feeds.sim_icebergs cimport Icebergs
from qmo_cli.feeds.sim_makers cimport Makers
from qmo_cli.feeds.sim_synthetics cimport Synthetics
from qmo_cli.feeds.sim_takers cimport Takers
from qmo_cli.feeds.sim_tape cimport Tape
from qmo_cli.feeds.sim_truth cimport Truth


cdef class Market:
    cdef Dice dice
    cdef Clock clock
    cdef FairValue fair
    cdef Tape tape
    cdef Truth truth
    cdef Exchange exchange
    cdef Agenda agenda
    cdef Crowd crowd
    cdef Makers makers
    cdef Takers takers
    cdef Icebergs icebergs
    cdef Synthetics synthetics
    cdef Episodes episodes
    cdef Decoys decoys
    cdef long long natives
    cdef long long others
    cdef bint over
    cdef object event(self, long long room, bint early)
    cdef object happen(self, long long room)
    cdef object act(self)
    cdef object act_as_usual(self, long long roll)
    cdef object do(self, Task task)
    cdef object hear(self)
