"""Sweeps, failed breaks, and what the book did."""
