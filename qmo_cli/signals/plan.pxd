from qmo_cli.rounding cimport to_six
from qmo_cli.signals.context cimport Scene
from qmo_cli.tray cimport Packet
