from qmo_cli.signals.context cimport Around, Scene
from qmo_cli.tray cimport Packet
from qmo_cli.views cimport reason
