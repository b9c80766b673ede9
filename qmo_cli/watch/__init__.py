"""The dashboard of a terminal."""
