from qmo_cli.engines.liquidity.series cimport Series
from qmo_cli.tray cimport Packet
