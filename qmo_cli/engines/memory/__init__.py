"""Icebergs remembered over runs: a store, retests and their outcomes."""
