from qmo_cli.engines.absorption_watch cimport Watch
from qmo_cli.tray cimport Packet
