"""Absorbed volume, and the levels that took it."""
