"""``qmo explain`` as a command: what it reads, which packets it takes, what it says when it cannot."""

from __future__ import annotations

import pytest

from .test_process import Environment, shell

SIM = "sim --minutes 2 --rate 30 --seed 9"


def said(command: str, environment: Environment) -> str:
    done = shell(command, environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()


@pytest.fixture(scope="module")
def whole(shell_environment: Environment) -> str:
    return said(f"qmo explain {SIM}", shell_environment)


def test_records_and_their_packets_are_explained_alike(whole: str, shell_environment: Environment) -> None:
    assert said(f"qmo run {SIM} --full | qmo explain -", shell_environment) == whole
    assert said(f"qmo feed {SIM} --encoding dbn | qmo explain", shell_environment) == whole
    assert whole.count("\nGC.v.0") + whole.startswith("GC.v.0") == 1


def test_the_packet_of_a_time_is_the_last_that_ended_by_then(shell_environment: Environment) -> None:
    at = said(f"qmo explain {SIM} --sim-start 2026-10-05T14:00Z --at 2026-10-05T14:01:00.5Z", shell_environment)
    assert at.splitlines()[0].endswith("  2026-10-05T14:01:00Z")


def test_every_change_is_explained_when_asked_for(shell_environment: Environment) -> None:
    weights = "--weight qmo=0.5 --weight imo=0.5 --weight gann=0 --weight astro=0 --weight cycle=0"
    chain = f"qmo run sim --minutes 3 --icebergs 0.05 --seed 7 --stop 30 {weights} --full"
    count = int(said(f"{chain} --changes | wc -l", shell_environment))
    assert count > 0
    assert said(f"{chain} | qmo explain - --changes | grep -c '^GC.v.0'", shell_environment) == f"{count}\n"


@pytest.mark.parametrize(("command", "code", "words"), [
    (f"qmo run {SIM} --full | qmo explain - --at 2020-01-01", 65, "holds no packet by that time"),
    (f"qmo feed {SIM} | qmo engine all | qmo explain", 65, "put `qmo engine all | qmo score` before"),
    (f"qmo feed {SIM} | qmo engine all | qmo score | qmo explain --changes", 2, "qmo signal --full"),
])
def test_what_cannot_be_explained_is_said(
    command: str, code: int, words: str, shell_environment: Environment,
) -> None:
    done = shell(command, shell_environment)
    assert done.returncode == code
    assert words in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()
