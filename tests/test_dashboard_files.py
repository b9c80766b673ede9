"""The files of the page, without a browser: what they may not hold, and that what is vendored is what it says."""

from __future__ import annotations

import base64
import hashlib
import re
from importlib import resources

import pytest

guard = pytest.importorskip("qmo_cli.serve.guard")
FOLDER = resources.files("qmo_cli.serve").joinpath("static")
FILES = {entry.name: entry.read_text("utf-8") for entry in FOLDER.iterdir()}
VENDORED = "lightweight-charts.js"
OWN = {name: text for name, text in FILES.items() if name.endswith((".js", ".html", ".css")) and name != VENDORED}


def test_what_comes_from_the_market_never_becomes_markup_or_code() -> None:
    forbidden = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc")
    assert [name for name, text in OWN.items() if forbidden.search(text)] == []


def test_there_is_no_script_or_style_inside_the_page() -> None:
    page = FILES["index.html"]
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=", page) == []


def test_nothing_is_loaded_from_another_host() -> None:
    addresses = {address for text in OWN.values() for address in re.findall(r"https?://[^\s\"'`)]+", text)}
    assert addresses == {"https://www.tradingview.com/"}     # a link to follow; the library's notice asks for it


def test_every_file_that_a_file_names_is_there() -> None:
    named = {name for text in OWN.values() for name in re.findall(r"(?:from \"\./|/static/)([\w.-]+)\"", text)}
    assert len(named) > 15
    assert named - set(FILES) == set()


def test_the_chart_library_is_the_release_that_its_notice_says() -> None:
    notice = FILES["lightweight-charts.NOTICE.txt"]
    assert hashlib.sha256(FILES[VENDORED].encode()).hexdigest() in notice
    assert "v5.2.1" in FILES[VENDORED][:200]
    assert "lightweight-charts 5.2.1" in notice
    assert "Apache License" in FILES["lightweight-charts.LICENSE.txt"][:200]


def test_the_policy_allows_the_one_style_that_the_chart_library_writes() -> None:
    styles = re.findall(r'\.innerText="([^"]*\{[^"]*\})"', FILES[VENDORED])
    assert len(styles) == 1
    digest = base64.b64encode(hashlib.sha256(styles[0].encode()).digest()).decode()
    assert f"style-src 'self' 'sha256-{digest}'" in guard.CONTENT_POLICY
