#!/usr/bin/env python3
"""Make ``docs/dashboard.png``: the page of ``qmo serve`` in Chromium, on the simulator, with a signal to be traded.

Needs the package with its extras ``serve`` and ``dev``, and Chromium: ``python scripts/picture_dashboard.py``.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

PICTURE = Path(__file__).resolve().parent.parent / "docs" / "dashboard.png"
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]
SURE = re.compile(r"0\.[89]")
PATIENCE = 600_000     # ms until there is a signal to be traded: engines want hours of market first


def photograph(address: str, options: argparse.Namespace) -> None:
    """Wait until the signal asked for is open, then save what is seen."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        page = browser.new_page(
            viewport={"width": options.width, "height": options.height}, color_scheme=options.theme)
        page.goto(address)
        page.locator("#signal[data-live=yes] #confidence").filter(has_text=SURE).wait_for(timeout=PATIENCE)
        page.wait_for_timeout(300)      # what is pending is drawn
        page.screenshot(path=options.out)
        browser.close()


def main() -> None:
    """Serve the simulator many times faster than it would be, and take the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=PICTURE)
    parser.add_argument("--seed", default="9")
    parser.add_argument("--speed", default="120")
    parser.add_argument("--theme", choices=["dark", "light"], default="dark")
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--height", type=int, default=800)
    options = parser.parse_args()
    command = ["serve", "sim", "--seed", options.seed, "--minutes", "600", "--speed", options.speed, "--port", "0"]
    command = [sys.executable, "-m", "qmo_cli", *command]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:  # noqa: S603  our own program
        assert server.stderr is not None
        try:
            photograph(next(line for line in server.stderr if "http://" in line).split()[-1], options)
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
