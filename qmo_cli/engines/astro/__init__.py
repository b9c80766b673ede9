"""The sky's calendar: when it is unusually busy, and that nothing follows from it."""
