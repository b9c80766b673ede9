from qmo_cli.engines.orderflow.series cimport Series
from qmo_cli.tray cimport Packet
