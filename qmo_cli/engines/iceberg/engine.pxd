from qmo_cli.engines.iceberg.contract cimport Contract
from qmo_cli.tray cimport Packet
