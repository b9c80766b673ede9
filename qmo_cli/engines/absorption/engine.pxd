from qmo_cli.engines.absorption.watch cimport Watch
from qmo_cli.tray cimport Packet
