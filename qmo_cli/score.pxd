from qmo_cli.live_zones cimport ZoneMemo
from qmo_cli.rounding cimport nearest, to_six
from qmo_cli.tray cimport Packet
from qmo_cli.views cimport reason
