cimport cython

from qmo_cli.times cimport iso
from qmo_cli.rounding cimport to_six
from qmo_cli.sessions cimport session
from qmo_cli.signals.context cimport Scene
from qmo_cli.signals.decision cimport Memory
from qmo_cli.tray cimport Packet


@cython.final
cdef class Series:
    cdef Memory memory
    cdef Scene scene
    cdef object last_id
    cdef tuple facts
    cdef object spec
