from qmo_cli.engines.mentor.tape cimport Tape
from qmo_cli.tray cimport Packet
