"""Stage 1: sources of records. Every source ends in blocks of DBN version 3 records.

Nothing is imported here, so that a source costs the start of its own modules alone.
"""
