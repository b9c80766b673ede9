from qmo_cli.rounding cimport to_six
from qmo_cli.sessions cimport session
from qmo_cli.signals.context cimport Scene
from qmo_cli.signals.decision cimport Memory
from qmo_cli.tray cimport Packet


cdef class Series:
    cdef Memory memory
    cdef Scene scene
    cdef object last_id
    cdef tuple facts
    cdef object spec
