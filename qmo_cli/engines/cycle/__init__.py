"""Counts of bars from confirmed swings."""
