from qmo_cli.market.ladder cimport Ladder
from qmo_cli.market.frame cimport Frame
from qmo_cli.market.instrument cimport Instrument
from qmo_cli.market.text cimport digits


cdef object market_of(Instrument instrument, long long end)
cdef tuple price_of(Instrument instrument, long long end, bint quoted, long long bid, long long ask)
cdef object volume_of(Instrument instrument)
cdef str quality_of(Instrument instrument)
cdef object health_of(Instrument instrument)
cdef object inputs_of(Instrument instrument, int level, Py_ssize_t most_prints)
