"""Session: the trade day and its levels."""
