from qmo_cli.engines.flow cimport Anchored, Minutes, Window, flow_score
from qmo_cli.rounding cimport to_six
from qmo_cli.sessions cimport session
from qmo_cli.tray cimport Packet
