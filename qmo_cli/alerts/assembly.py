"""From options to everything that runs: targets, limits, state, threads."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from ..errors import UsageError
from ..packets import WIRE_VERSION
from ..places import state_file
from ..times import SECOND, duration, iso
from . import command, desktop, limits, webhook
from .alert import Alert, AlertLine, Parcel
from .clock import Clock
from .inbox import Inbox
from .judge import Judge
from .options import AlertOptions
from .origin import Customs
from .outbox import Outbox
from .reader import Reader
from .service import Service, encode
from .state import State
from .target import Target
from .wanted import Wanted
from .words import message
from .worker import FIRST_PAUSE, Worker

logger = logging.getLogger(__name__)

KEPT_FOR = 86_400 * SECOND      # ns for which what was not delivered is kept
NOBODY = ("there is nobody to tell; give --exec COMMAND, --notify, --webhook-file FILE or QMO_ALERT_WEBHOOK, or try "
          "--dry-run")


def targets_of(options: AlertOptions, clock: Clock) -> list[Target]:
    """Everybody to tell, in a fixed order, each with its own name. Raises what is wrong with one of them."""
    timeout = options.seconds("timeout")
    found: list[Target] = [
        command.Command(text, timeout, "exec" if number == 1 else f"exec-{number}", f"command {number}")
        for number, text in enumerate(options.exec, 1)
    ]
    url = webhook.address(options.webhook_file)
    if url:
        hook = webhook.webhook(url, timeout, options.template)
        hook.clock = clock
        found.append(hook)
    elif options.template is not None:
        raise UsageError("--template is what a webhook gets; give --webhook-file FILE or QMO_ALERT_WEBHOOK")
    if options.notify:
        found.append(desktop.find_desktop(timeout))
    return found


def service_of(
    options: AlertOptions, put: Callable[[bytes], None], *, tee: Callable[[bytes], None] | None = None,
    dry_run: bool = False, fd: int = 0, clock: Clock | None = None, first_pause: float = FIRST_PAUSE,
) -> Service:
    """All of it, not yet running; its state is locked and read."""
    clock = clock or Clock()
    targets = targets_of(options, clock)
    if not targets and not dry_run:
        raise UsageError(NOBODY)
    boxes = [outbox_of(options) for _ in targets]
    max_age = duration(options.max_age)
    customs = Customs(options.replay, max_age)
    state = State(None if dry_run else Path(options.state) if options.state else state_file("alert.json"))
    state.open()
    forget_old(state, clock.wall(), replay=options.replay)
    judge = Judge(Wanted.of(options.on, "--on"), customs, duration(options.trouble), clock.wall,
                  dict(state.kept.decided))
    inbox = Inbox()
    patience = options.seconds("retry")
    workers = [] if dry_run else [
        Worker(target, box, patience, max_age, inbox.report, clock, first_pause)
        for target, box in zip(targets, boxes, strict=True)
    ]
    rehearsed = [target.name for target in targets] or ["nobody"] if dry_run else []
    silence = None if options.silence is None else options.seconds("silence")
    return Service(
        Reader(fd, judge, inbox, clock, tee), judge, inbox, state, workers, put, clock, max_age,
        options.seconds("drain"), silence, rehearsed,
    )


def outbox_of(options: AlertOptions) -> Outbox:
    """The limits of one target."""
    hours = options.quiet_hours
    quiet = None if hours is None else limits.quiet(hours, limits.zone_of(options.timezone))
    return Outbox(limits.bucket(options.limit), quiet, Wanted.of(options.urgent, "--urgent"))


def forget_old(state: State, now: int, *, replay: bool) -> None:
    """Drop what could not be delivered for a day, and what was not live where that is not asked for any more."""
    for target, waiting in state.kept.pending.items():
        live = [alert for alert in waiting.values() if alert.realm == "live"]
        old = [alert for alert in live if now - alert.ts > KEPT_FOR]
        unasked = [] if replay else [alert for alert in waiting.values() if alert.realm != "live"]
        state.strike(target, (*old, *unasked))
        if old:
            logger.warning("%d alerts for %s that could not be delivered for a day are dropped", len(old), target)


def try_out(options: AlertOptions, put: Callable[[bytes], None], clock: Clock | None = None) -> int:
    """Send one test message to every target at once, and say how it went. 0: all of them got it."""
    clock = clock or Clock()
    targets = targets_of(options, clock)
    if not targets:
        raise UsageError(NOBODY)
    failures: list[str] = []
    threads = [threading.Thread(target=_try_one, args=(target, clock, put, failures)) for target in targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return 1 if failures else 0


def _try_one(target: Target, clock: Clock, put: Callable[[bytes], None], failures: list[str]) -> None:
    now = clock.wall()
    words = "qmo alert can reach you; this is no signal"
    alert = Alert(f"test|{now}", "test", "test", f"test-{now}", "test", "-", None, now, None, None, "", "TEST", words,
                  '{"schema":"alert-test"}')
    said = message(Parcel((alert,)), now, SECOND)
    outcome = target.send(said)
    if outcome.error:
        failures.append(target.name)
        logger.error("%s: the test failed: %s", target.place, outcome.error)
    else:
        logger.info("%s: the test message was delivered", target.place)
    put(encode(AlertLine(
        "alert", WIRE_VERSION, str(now), iso(clock.wall() // 1_000_000 * 1_000_000), alert.id, "test", "test", "-", 1,
        target.name, "failed" if outcome.error else "delivered", 1, said.text, outcome.error or None,
    )) + b"\n")
