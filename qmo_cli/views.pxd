from qmo_cli.tray cimport Packet


cpdef str reason(Packet packet, str name)
