"""Telling somebody: what of a stream of signals is worth it, once, in order, and never on old data by mistake.

A reader thread takes the lines and judges them; a keeper notes every alert before it is sent; one worker for each
target sends. The clock of the machine is asked in ``clock`` only.
"""
