from qmo_cli.engines.orderflow.flow cimport Window
from qmo_cli.engines.liquidity.book cimport BookFlow, MeanImbalance
from qmo_cli.engines.liquidity.words cimport Story
from qmo_cli.live_zones cimport LiveZones, ZoneMemo
from qmo_cli.rounding cimport to_six
from qmo_cli.tray cimport Packet
from qmo_cli.views cimport reason


cpdef double sweep_balance(long long up, long long down) except? -9


cpdef double liquidity_score(object balance, object failed, object lopsided) except? -9
