"""Mentor: what surrounds a decision, in words, and whether it speaks against any trade."""
