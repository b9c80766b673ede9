"""``qmo systemd``: units that keep qmo running, and examples for cron."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..errors import UsageError
from .logs import tell
from .options import Stage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..systemd import Written

VIEWS = ("list", "print", "install", "cron")

EPILOG = """\b
Examples:
  qmo systemd
  qmo systemd print qmo-serve
  qmo systemd install --user qmo-serve
  sudo /opt/qmo/bin/qmo systemd install qmo-record qmo-icebergs.timer
  qmo systemd install --dry-run qmo-doctor.timer
  qmo systemd cron >> crontab.txt
"""


def complete_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    from ..systemd import names

    return [name for name in names() if name.startswith(incomplete)]


@click.command(cls=Stage, epilog=EPILOG)
@click.argument("view", type=click.Choice(VIEWS), default="list", metavar=f"[{'|'.join(VIEWS)}]")
@click.argument("units", nargs=-1, metavar="[NAME]...", shell_complete=complete_names)
@click.option("--user", is_flag=True, help="Units of your own, under systemctl --user, rather than the system's.")
@click.option("--qmo", "named", type=click.Path(dir_okay=False), metavar="PATH",
              help="The executable that units start; else this one.")
@click.option("--force", is_flag=True, help="install: replace files that differ.")
@click.option("--dry-run", is_flag=True, help="install: only say what would be written.")
def systemd(
    view: str, units: tuple[str, ...], user: bool, named: str | None, force: bool, dry_run: bool,
) -> None:
    """Print or install units for systemd, or examples for cron.

    list names the units and what they start; print shows them, with the paths of this qmo; install writes them to
    /etc/systemd/system, or with --user to ~/.config/systemd/user, with the units that they need, and says what to run
    next: nothing is started. A file that is there and differs is not replaced without --force. A NAME without a kind
    is a service.

    Units of the system run as a user that systemd makes up, see none of your files, and keep theirs in /var/lib/qmo.
    config.toml, databento.key and qmo.token stand in /etc/qmo, the secrets with mode 600. Units of a user run as
    you, with your configuration and key, as long as you are logged in, or for ever after loginctl enable-linger.

    cron prints lines for crontab -e that do the same.
    """
    if view != "install" and (force or dry_run):
        raise UsageError("--force and --dry-run belong to install")
    if view in ("print", "install") and not units:
        raise UsageError(f"name one or more units: qmo systemd {view} NAME...; qmo systemd lists them")
    if view in ("list", "cron") and units:
        raise UsageError(f"{view} takes no NAME; try: qmo systemd print {units[0]}")
    ACTIONS[view](units, user, named, force, dry_run)


def show_list(units: tuple[str, ...], user: bool, named: str | None, force: bool, dry_run: bool) -> None:
    """All units in a table."""
    from ..systemd import names, unit
    from .tables import table

    rows = [(one.name, one.description) for one in (unit(name, "qmo", user=user) for name in names())]
    click.echo(table(rows, ("unit", "what it is for")))


def show_units(units: tuple[str, ...], user: bool, named: str | None, force: bool, dry_run: bool) -> None:
    """The text of units, each under its name where there are several."""
    from ..systemd import executable, unit

    wanted = [unit(name, "qmo").name for name in units]
    path = executable(named, user=user)
    found = [unit(name, path, user=user) for name in wanted]
    click.echo("\n".join(f"# {one.name}\n{one.text}" if len(found) > 1 else one.text for one in found), nl=False)


def show_cron(units: tuple[str, ...], user: bool, named: str | None, force: bool, dry_run: bool) -> None:
    """The examples for cron."""
    from ..systemd import crontab, executable

    click.echo(crontab(executable(named, user=True)), nl=False)


def install_units(units: tuple[str, ...], user: bool, named: str | None, force: bool, dry_run: bool) -> None:
    """Write units, with those that they need, and say what to run next."""
    from ..systemd import executable, install, unit
    from ..systemd.install import folder
    from ..systemd.units import with_needed

    wanted = with_needed(units)
    path = executable(named, user=user)
    done = install([unit(name, path, user=user) for name in wanted], folder(user=user), force=force, dry_run=dry_run)
    for one in done:
        click.echo(f"{'would be ' if dry_run else ''}{one.outcome}: {one.path}")
    tell(next_steps(done, user=user), "what to run next")


def next_steps(done: Sequence[Written], *, user: bool) -> str:
    """The commands that put units to use."""
    from ..systemd.units import startable

    ctl = "systemctl --user" if user else "systemctl"
    start = " ".join(startable([one.path.name for one in done]))
    hint = "loginctl enable-linger    # so that they run while you are not logged in\n" if user else ""
    return (f"next:\n{ctl} daemon-reload\n{ctl} enable --now {start}\n{hint}"
            f"journalctl {'--user ' if user else ''}-fu {start.split()[0]}")


ACTIONS = {"list": show_list, "print": show_units, "cron": show_cron, "install": install_units}
