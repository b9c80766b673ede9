"""What all tests share: the --update flag, a ``qmo`` to start as a real process, and how examples are made up.

Properties are tested on the same examples every time, so that a run says something about the code alone;
``--hypothesis-profile=search`` looks for new ones.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from .yahoo_proxy import YahooProxy

CALM = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("same", derandomize=True, max_examples=16, **CALM)
settings.register_profile("search", max_examples=1000, **CALM)
settings.load_profile("same")

# These take longest. Begun first, they are not what all other workers wait for at the end.
DEAREST = (
    "test_laws_long.py", "test_plot_picture.py", "test_memory_cli.py", "test_laws_frames.py", "test_live_process.py",
    "test_live_faults.py", "test_cli_golden.py", "test_laws.py", "test_sim_market.py", "test_laws_process.py",
    "test_dashboard.py", "test_plot_command.py", "test_alert_process.py", "test_derive.py", "test_laws_interpreted.py",
)

# Tests keep many packets and make few cycles: the search for cyclic garbage took a twentieth of their time.
gc.set_threshold(100_000, 20, 100)

ROOT = Path(__file__).resolve().parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="rewrite golden cases, man pages and completions")


def pytest_configure(config: pytest.Config) -> None:
    """Keep the order of files below where they are shared out to workers: else those with most tests come first."""
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The dearest files first, the others as they come."""
    places = {name: place for place, name in enumerate(DEAREST)}
    items.sort(key=lambda item: places.get(item.path.name, len(places)))


@pytest.fixture
def update(request: pytest.FixtureRequest) -> bool:
    """Whether generated files are to be rewritten rather than compared."""
    return bool(request.config.getoption("--update"))


@pytest.fixture(scope="session")
def shell_environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which a shell finds this checkout's ``qmo``, no configuration, and no colour."""
    folder = tmp_path_factory.mktemp("bin")
    script = folder / "qmo"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m qmo_cli "$@"\n')
    script.chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("QMO_", "XDG_"))}
    return {
        **kept, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "NO_COLOR": "1",
        "HOME": str(folder), "COLUMNS": "80", "LC_ALL": "C.UTF-8", "PYTHONWARNINGS": "error",
    }


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[YahooProxy]:
    """What stands in for Yahoo: yfinance goes there."""
    from .yahoo_proxy import yahoo_here

    with yahoo_here(tmp_path_factory.mktemp("yahoo")) as found:
        yield found
