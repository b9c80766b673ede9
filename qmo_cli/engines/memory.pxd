from qmo_cli.engines.memory_book cimport MemoryBook
from qmo_cli.engines.memory_map cimport ZoneMap
from qmo_cli.tray cimport Packet
