from qmo_cli.engines.orderflow.flow cimport Anchored, BookWindow, Minutes, Window, flow_score, less_absorbed
from qmo_cli.rounding cimport to_six
from qmo_cli.sessions cimport session
from qmo_cli.tray cimport Packet
from qmo_cli.views cimport reason
