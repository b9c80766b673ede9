from qmo_cli.signals.context cimport Scene
from qmo_cli.signals.near cimport Around
from qmo_cli.tray cimport Packet
from qmo_cli.views cimport reason
