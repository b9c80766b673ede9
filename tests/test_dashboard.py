"""The page of ``qmo serve`` in a real browser, on the simulator."""

from __future__ import annotations

import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

playwright = pytest.importorskip("playwright.sync_api")
pytest.importorskip("uvicorn")
CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")

ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]
PATIENCE = 30_000      # ms for anything to happen; what is tested takes far less
TOKEN = "0123456789abcdef-right"

# What the eye sees of the chart: how many colours its largest canvas has, which, and a sum that changes with it.
LOOK = """() => {
  const seen = {colours: new Set(), sum: 0};
  for (const canvas of document.querySelectorAll("#chart canvas")) {
    const {width, height} = canvas;
    if (width * height === 0) continue;
    const data = new Uint32Array(canvas.getContext("2d").getImageData(0, 0, width, height).data.buffer);
    for (let at = 0; at < data.length; at += 1) {
      if (data[at] !== 0) seen.colours.add(data[at] & 0xffffff);
      seen.sum = (seen.sum * 31 + data[at]) % 2147483647;
    }
  }
  return {colours: [...seen.colours], sum: seen.sum};
}"""


def rgb(text: str) -> int:
    """A colour of the style sheet, #58a9ff, as a canvas holds it: little-endian."""
    red, green, blue = (int(text[at:at + 2], 16) for at in (1, 3, 5))
    return red | green << 8 | blue << 16


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(*arguments: str, **more: Any) -> Iterator[subprocess.Popen[str]]:
    """`qmo serve` as a process, listening."""
    command = [sys.executable, "-m", "qmo_cli", "serve", *arguments]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, **more) as server:
        try:
            assert server.stderr is not None
            assert select.select([server.stderr], [], [], 60)[0], "the server does not listen"
            assert "http://" in server.stderr.readline()
            yield server
        finally:
            with suppress(ProcessLookupError):
                server.send_signal(signal.SIGCONT)
            server.kill()


def simulated(port: int) -> list[str]:
    return ["sim", "--seed", "7", "--minutes", "600", "--speed", "40", "--port", str(port)]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The simulator's address."""
    port = free_port()
    with serving(*simulated(port)):
        yield f"http://127.0.0.1:{port}"


class Visit:
    """A page, whatever the browser complained of, and every address it asked for."""

    def __init__(self, browser: Any, **more: Any) -> None:
        self.context = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme="dark", **more)
        self.context.set_default_timeout(PATIENCE)
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.asked: list[str] = []
        self.page.add_init_script(
            "addEventListener('securitypolicyviolation', e => console.error('CSP', e.violatedDirective, e.blockedURI))")
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("websocket", lambda opened: self.asked.append(opened.url))

    def _said(self, message: Any) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def sees(self, selector: str, text: str | re.Pattern[str]) -> None:
        """Wait until an element holds the text."""
        playwright.expect(self.page.locator(selector)).to_contain_text(text, timeout=PATIENCE)

    def until(self, good: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Look at the chart until it is as wanted, and give back what was seen."""
        for _ in range(PATIENCE // 100):
            look: dict[str, Any] = self.page.evaluate(LOOK)
            if good(look):
                return look
            self.page.wait_for_timeout(100)
        raise AssertionError(f"the chart has these colours: {sorted(map(hex, look['colours']))}")

    def is_at(self, state: str) -> None:
        """Wait until the connection is in a state."""
        self.page.locator(f"html[data-connection={state}]").wait_for(state="attached")


@pytest.fixture(scope="module")
def visit(browser: Any, server: str) -> Iterator[Visit]:
    """One visit to the simulator, that tests share."""
    visit = Visit(browser)
    visit.page.goto(server)
    visit.is_at("open")
    yield visit
    visit.context.close()


def test_the_price_with_bid_and_ask_is_shown_and_goes_on(visit: Visit) -> None:
    visit.sees("#price", re.compile(r"^\d{4}\.\d$"))
    visit.sees("#quote", re.compile(r"Bid\d{4}\.\d . \d+Ask\d{4}\.\d . \d+Spread0\.\d \(\d ticks?\)"))
    before = visit.page.locator("#clock").inner_text()
    playwright.expect(visit.page.locator("#clock")).not_to_have_text(before)
    visit.sees("#clock", re.compile(r"Mon, 0?5 Oct 2026 \d\d:\d\d:\d\d CDT"))


def test_the_chart_is_drawn_in_the_colours_of_both_sides_and_changes_with_the_market(visit: Visit) -> None:
    visit.sees("#legend", re.compile(r"O\d{4}\.\d"))
    colours = [visit.page.evaluate(
        "name => getComputedStyle(document.documentElement).getPropertyValue(name).trim()", name)
        for name in ("--buy", "--sell", "--score")]
    first = visit.until(lambda look: {rgb(colour) for colour in colours} <= set(look["colours"]))
    assert len(first["colours"]) > 30
    visit.until(lambda look: look["sum"] != first["sum"])


def test_simulated_data_is_called_so_in_words_on_the_page_on_the_chart_and_in_the_title(visit: Visit) -> None:
    visit.sees("#notices", "SIMULATED")
    assert visit.page.locator("#notices .sign").first.inner_text() == "◆"
    assert visit.page.title().startswith("[SIMULATED]")
    visit.sees("#data", re.compile("Qualitysimulated"))


def test_a_pillar_that_is_not_known_shows_no_number_and_says_why(visit: Visit) -> None:
    rows = visit.page.locator("#pillars li")
    assert rows.count() == 5
    gann = rows.nth(2)
    assert re.search(r"not known: .*15m", gann.inner_text())
    assert gann.locator(".number").count() == 0
    assert "25 %" in rows.nth(0).inner_text()
    assert re.search(r"[▲▼■] 0\.\d\d", rows.nth(0).inner_text())


def test_what_is_not_known_elsewhere_is_a_dash_with_its_reason_as_title_and_for_screen_readers(visit: Visit) -> None:
    value = visit.page.locator("#session div", has_text="Prior day").locator("dd")
    assert value.get_attribute("title") == "not known: no trades of trade date 2026-10-02 in the input"
    assert value.locator(".unseen").text_content() == " not known: no trades of trade date 2026-10-02 in the input"
    assert value.locator("span").first.text_content() == "\N{EN DASH}"


def test_a_signal_says_its_type_its_confidence_and_its_reasons(visit: Visit) -> None:
    visit.sees("#type", re.compile(r"▲ BUY|▼ SELL|■ HOLD"))
    visit.sees("#confidence", re.compile(r"^[01]\.\d\d$"))
    assert visit.page.locator("#rationale li").count() >= 2


def test_keys_choose_the_step_the_theme_the_zone_and_the_help(visit: Visit) -> None:
    page = visit.page
    page.keyboard.press("1")
    assert page.locator("[data-step='15']").get_attribute("aria-pressed") == "true"
    page.keyboard.press("t")
    assert page.locator("html").get_attribute("data-theme") == "light"
    page.keyboard.press("t")
    assert page.locator("html").get_attribute("data-theme") == "dark"
    page.keyboard.press("z")
    visit.sees("#zone", "Local")
    page.keyboard.press("z")
    visit.sees("#zone", "Chicago")
    page.keyboard.press("?")
    assert page.locator("#help-dialog").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("#help-dialog").is_visible()
    page.keyboard.press("2")


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 800), (1920, 1080)])
def test_nothing_is_wider_than_the_window(visit: Visit, width: int, height: int) -> None:
    visit.page.set_viewport_size({"width": width, "height": height})
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
    if width == 1920:       # a second screen is not scrolled
        assert visit.page.evaluate("document.documentElement.scrollHeight") <= height


def test_the_browser_has_nothing_to_complain_of_and_no_other_host_is_asked(visit: Visit, server: str) -> None:
    assert visit.complaints == []
    assert visit.page.locator("#tv-attr-logo").is_visible()     # and its style is allowed: no complaint
    asked = {re.sub(r"^(http|ws)://", "", url) for url in visit.asked}
    assert len(asked) > 20
    assert [url for url in asked if not url.startswith(server.removeprefix("http://") + "/")] == []


def test_numbers_and_times_are_written_as_the_contract_has_them(visit: Visit) -> None:
    written = visit.page.evaluate("""async () => {
      const it = await import("/static/format.js");
      return [
        it.price(3997, 0.1), it.price(4000.45, 0.1), it.price(0.1 + 0.2, 0.1), it.price(2567.5, null),
        it.price(null, 0.1),
        it.signed(-1234), it.signed(0), it.signed(0.0251, 3), it.minutes(380), it.minutes(59),
        it.span(9.96), it.span(7300),
        it.msOfNs("1791211199768520849"), it.share(null), it.count(0),
      ];
    }""")
    assert written == [
        "3997.0", "4000.45", "0.3", "2567.5", None,
        "\N{MINUS SIGN}1,234", "0", "+0.025", "6 h 20 min", "59 min", "10.0 s", "2.0 h",
        1791211199768, None, "0",
    ]


CANDLES = """async () => {
  const { Candles } = await import("/static/candles.js");
  const row = (time) => [time, 1, 1, 1, 1, 1, 0, 0, 1, 0.5];
  const anew = [];
  const candles = new Candles(() => {}, (step) => anew.push(step));
  candles.forget("X");
  candles.rows[60] = [row(0), row(60)];
  const steps = [[0, 60], [60, 120], [240, 300], [180, 300]].map((times) => {
    candles.wanted.delete(60);
    candles.take({ series: "X", seq: 1, marks: [], candles: { 60: times.map(row) } }, 15);
    return candles.wanted.has(60);
  });
  return { steps, times: candles.rows[60].map(([time]) => time), anew };
}"""


def test_candles_are_fetched_again_where_a_frame_does_not_join_what_is_known_and_a_late_one_goes_between(
    visit: Visit,
) -> None:
    seen = visit.page.evaluate(CANDLES)
    assert seen["steps"] == [False, False, True, False]     # only 240 after 120 leaves a hole that must be asked for
    assert seen["times"] == [0, 60, 120, 180, 240, 300]
    assert seen["anew"] == [60]                             # the late one, 180, cannot be drawn by itself


def test_an_error_of_the_page_itself_is_said_as_loudly_as_a_lost_connection(browser: Any, server: str) -> None:
    visit = Visit(browser)
    visit.page.goto(server)
    visit.is_at("open")
    visit.page.evaluate("setTimeout(() => { throw new Error('a field is of another kind'); })")
    visit.sees("#lost", "THE PAGE FAILED Uncaught Error: a field is of another kind. What you see may be wrong")
    visit.context.close()


def test_a_server_that_hangs_is_noticed_and_one_that_was_restarted_is_found_again(browser: Any) -> None:
    port = free_port()
    visit = Visit(browser)
    with serving(*simulated(port)) as server:
        visit.page.goto(f"http://127.0.0.1:{port}")
        visit.is_at("open")
        server.send_signal(signal.SIGSTOP)
        visit.sees("#lost", "CONNECTION LOST nothing heard for 5 s")
        assert visit.page.locator("#lost").get_attribute("role") == "alert"
        assert "grayscale" in visit.page.locator("main").evaluate("main => getComputedStyle(main).filter")
        assert visit.page.title().startswith("[LOST]")
        server.send_signal(signal.SIGCONT)
        visit.is_at("open")
        visit.page.locator("#lost").wait_for(state="hidden")
    visit.sees("#lost", re.compile("CONNECTION LOST .*(cannot be reached|closed)"))
    with serving(*simulated(port)):
        visit.page.keyboard.press("r")      # as "online" does; without it the next try may be some seconds away
        visit.is_at("open")
        visit.sees("#price", re.compile(r"^\d{4}\.\d$"))
        visit.sees("#legend", re.compile(r"O\d{4}\.\d"))
        assert visit.page.evaluate(LOOK)["sum"] != 0
    visit.context.close()


@pytest.fixture(scope="module")
def packets(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Some packets; the rationale of the last is markup."""
    command = [sys.executable, "-m", "qmo_cli", "run", "sim", "--seed", "7", "--minutes", "0.3", "--full"]
    lines = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout.splitlines(keepends=True)
    lines[-1] = re.sub(rb'"rationale":\["', b'"rationale":["<img src=/none onerror=document.title=1><b>', lines[-1])
    return b"".join(lines)


def test_a_wrong_token_is_refused_the_right_one_accepted_and_a_feed_that_stops_is_called_stale(
    browser: Any, packets: bytes,
) -> None:
    port = free_port()
    visit = Visit(browser)
    reads, writes = os.pipe()
    first, rest = packets.split(b"\n", 1)
    os.write(writes, first + b"\n")      # the server wants to see what kind of lines they are
    environment = {**os.environ, "QMO_TOKEN": TOKEN}
    with serving("-", "--port", str(port), "--stale-after", "1s", stdin=reads, env=environment):
        page = visit.page
        page.goto(f"http://127.0.0.1:{port}/#token=wrong-0123456789abcdef")
        visit.sees("#gate", "token is missing or wrong")
        assert page.url == f"http://127.0.0.1:{port}/"      # the token does not stay in the address
        page.locator("#gate-token").fill(TOKEN)
        page.keyboard.press("Enter")
        visit.is_at("open")
        assert not page.locator("#gate").is_visible()
        with os.fdopen(writes, "wb") as pipe:
            pipe.write(rest)
            pipe.flush()
            visit.sees("#rationale", "<img src=/none onerror=document.title=1><b>")
            assert page.locator("#rationale img, #rationale b").count() == 0
            visit.sees("#notices", "STALE")
            visit.sees("#status", "stale: no trade")
            visit.sees("#type", "HOLD")
            assert page.title().startswith("[STALE]")
        visit.sees("#notices", "ENDED")
        assert page.evaluate("sessionStorage.getItem('qmo.token')") == TOKEN
        page.reload()
        visit.is_at("open")
    os.close(reads)
    visit.context.close()
