"""Levels after Gann, and how many kinds of them agree."""
