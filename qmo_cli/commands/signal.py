"""``qmo signal``: scored packets to trade signals."""

from __future__ import annotations

import click

from ..signals.sizing import SignalOptions
from .options import Stage, stage_options
from .output import write_all
from .stages import SIGNAL, changes_option, full_option, read_packets_of, signal_lines, stats_option
from .statistics import Stopwatch

EPILOG = """\b
Examples:
  ... | qmo score | qmo signal | jq -r '[.timestamp, .signal.type] | @tsv'
  ... | qmo score | qmo signal --account 50000 --risk 250 --stop atr:1.5
  ... | qmo score | qmo signal --changes
"""


@click.command(cls=Stage, epilog=EPILOG)
@changes_option
@full_option
@stats_option
@stage_options(SIGNAL)
def signal(changes: bool, full: bool, stats: bool, signalling: SignalOptions) -> None:
    """Turn scored packets into trade signals that say why.

    Reads packets with a score from standard input and prints one line for each: the decision, entry, stop and
    targets, the size that the account allows, the market around it, and the reasons.
    """
    from ..signals import Signaler

    watch = Stopwatch(stats)
    decide = watch.timed("signal", Signaler(signalling).update)
    batches = watch.count(watch.iterate("read", read_packets_of("signal")))
    write_all(signal_lines(batches, decide, changes=changes, full=full))
    watch.show()
