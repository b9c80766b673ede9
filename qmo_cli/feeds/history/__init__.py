"""The vendor's history as a source: the cost first, nothing paid twice. ``source.history`` is the way in."""
