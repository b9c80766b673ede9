from qmo_cli.tray cimport Packet
