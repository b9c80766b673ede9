"""``qmo score``: packets with readings to packets with a score."""

from __future__ import annotations

import click

from ..score import ScoreOptions
from .options import Stage, stage_options
from .output import write_all
from .stages import SCORE, packet_lines, read_packets_of, stats_option, updated, weight_option, weighted
from .statistics import Stopwatch

EPILOG = """\b
Examples:
  qmo feed FILE | qmo engine all | qmo score | jq -c .score.total
  ... | qmo score --phase orderflow
  ... | qmo score --weight qmo=0.3 --weight imo=0.2
"""


@click.command(cls=Stage, epilog=EPILOG)
@weight_option
@stats_option
@stage_options(SCORE)
def score(weights: dict[str, float], stats: bool, scoring: ScoreOptions) -> None:
    """Weigh the engines' readings on five pillars.

    Reads packets from standard input and adds the slot score: the pillars, their weighted mean, the boosts, and how
    much of the weight is known (coverage) and has something to say now (active_weight).
    """
    from ..score import Scorer

    watch = Stopwatch(stats)
    update = watch.timed("score", Scorer(weighted(scoring, weights)).update)
    write_all(packet_lines(updated(watch.count(watch.iterate("read", read_packets_of("score"))), update)))
    watch.show()
