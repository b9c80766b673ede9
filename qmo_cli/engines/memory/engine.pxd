from qmo_cli.engines.memory.book cimport MemoryBook
from qmo_cli.engines.memory.map cimport ZoneMap
from qmo_cli.engines.memory.place cimport Remembered
from qmo_cli.tray cimport Packet
