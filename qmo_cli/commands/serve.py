"""``qmo serve``: the chain behind HTTP and WebSocket."""

from __future__ import annotations

import time
from contextlib import closing

import click

from ..cli import Terminated
from ..errors import QmoError
from ..feeds.history.options import HistoryOptions
from ..feeds.live.options import LiveOptions
from ..feeds.quotes.options import PollOptions
from ..feeds.sim import SimOptions
from ..router import RouteOptions
from ..score import ScoreOptions
from ..serve.options import ServeOptions
from ..signals.sizing import SignalOptions
from .logs import tell
from .options import Part, Stage, stage_options
from .origins import STOPPED
from .output import suit_memory_to_streams
from .run import live_frames
from .sources import FEED, HISTORICAL, LIVING, POLL, SIM, Asked, FeedOptions, read_blocks, source_argument
from .stages import ROUTE, SCORE, SIGNAL, calendar_option, memory_option, set_option, weight_option, weighted
from .whole import Chain, lasting, looked_into, paced, packets_of, stale_after

SERVE = Part("serve", "serving", ServeOptions)
EPILOG = """\b
Examples:
  qmo serve sim                    then open http://127.0.0.1:8750
  qmo serve live --warmup 30d --record today.dbn
  qmo run live --full | tee day.ndjson | qmo serve -
  curl -s http://127.0.0.1:8750/api/v1/signal | jq .
  openssl rand -hex 32 > token; chmod 600 token
  qmo serve live --host 0.0.0.0 --token-file token \\
      --tls-cert cert.pem --tls-key key.pem
"""


@click.command(cls=Stage, epilog=EPILOG)
@source_argument
@set_option
@memory_option
@calendar_option
@weight_option
@stage_options(SERVE, FEED, SIM, LIVING, HISTORICAL, POLL, ROUTE, SCORE, SIGNAL)
def serve(  # one parameter for each stage's options
    source: tuple[str, ...], parameters: tuple[str, ...], memory: str | None, calendar: str | None,
    weights: dict[str, float], serving: ServeOptions, feeding: FeedOptions, simulation: SimOptions,
    living: LiveOptions, historical: HistoryOptions, polling: PollOptions, routing: RouteOptions,
    scoring: ScoreOptions, signalling: SignalOptions,
) -> None:
    """Put the signal behind HTTP and WebSocket, with a page that shows it.

    Records run through the whole chain first, with the options of every stage, as in run; files and the simulator at
    the pace of real time, unless --speed says otherwise (the simulator for a week, unless --minutes does). Packets from
    a file or a pipe (signal --full) and bare signals are served as they are. When the feed ends the server stays, and
    everything it answers says that it is stale. SIGTERM lets it end in good order.
    """
    from ..board import Board
    from ..serve.feeding import feed_board
    from ..serve.server import Serving

    suit_memory_to_streams()
    board = Board(stale_after=stale_after(source, polling, serving.stale_seconds()))
    server = Serving(board, serving)
    looked = looked_into("serve", source)
    routing, living = live_frames(source, routing, living)
    feeding, routing = paced(source, feeding, routing)
    chain = Chain(parameters, routing, weighted(scoring, weights), signalling, memory=memory, calendar=calendar,
                  timing=True)
    asked = Asked(feeding=feeding, simulation=lasting(simulation), historical=historical, living=living,
                  polling=polling)
    server.start()
    tell(f"qmo serve: {server.url}", url=server.url)
    trouble: QmoError | None = None
    try:
        with closing(chain):
            # What stdin holds is known when something comes; the server is there before.
            batches = packets_of("serve", looked, signals=True)
            if batches is None:
                batches = chain.batches(read_blocks("serve", source, asked, looked))
            trouble = feed_board(board, batches, chain.spent, server.alive)
        while server.alive() and not STOPPED.is_set():
            time.sleep(1)
    except Terminated:
        board.ended("the server is being stopped")
    finally:
        server.stop()
    if trouble is not None:
        raise trouble
