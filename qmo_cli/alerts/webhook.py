"""A webhook: one POST of JSON for each message. Its address is a secret, of which only the host is ever shown."""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from ..errors import ConfigurationError, UsageError
from ..times import SECOND, iso
from .alert import AlertBody, Message, Outcome
from .clock import Clock

VARIABLE = "QMO_ALERT_WEBHOOK"
AGAIN = frozenset({408, 425, 429})      # besides 5xx: the receiver may take it later
LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
NAME = re.compile(r"\{([a-z]+)\}")


@dataclass(slots=True)
class Webhook:
    """``url`` without its secrets is ``host``. One attempt takes ``timeout`` s at the most, once it is connected."""

    host: str
    port: int | None
    path: str
    secure: bool
    timeout: float
    template: Any = None
    clock: Clock = field(default_factory=Clock)
    context: ssl.SSLContext | None = None
    name: str = "webhook"
    place: str = field(init=False)
    _open: http.client.HTTPConnection | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.place = f"the webhook at {self.host}"

    def send(self, message: Message) -> Outcome:
        """POST it once. No redirect is followed; of the answer only the status and Retry-After are read."""
        connection, late = self._connection(), threading.Event()
        watchdog = threading.Timer(self.timeout, hang_up, [connection, late])
        watchdog.daemon = True
        try:
            return self._post(connection, watchdog, late, self._body(message))
        except TimeoutError:
            return Outcome(f"no answer within {self.timeout:g} s")
        except ssl.SSLCertVerificationError as error:
            return Outcome(f"its certificate is not to be trusted: {error.verify_message}")
        except (OSError, http.client.HTTPException) as error:
            words = f"no answer within {self.timeout:g} s" if late.is_set() else f"no connection: {plain(error)}"
            return Outcome(words)
        finally:
            watchdog.cancel()
            self._open = None
            connection.close()

    def abandon(self) -> None:
        """Break the connection."""
        connection = self._open
        if connection is not None:
            hang_up(connection)

    def _connection(self) -> http.client.HTTPConnection:
        if not self.secure:
            return http.client.HTTPConnection(self.host, self.port, timeout=self.timeout)
        context = self.context or ssl.create_default_context()
        return http.client.HTTPSConnection(self.host, self.port, timeout=self.timeout, context=context)

    def _post(
        self, connection: http.client.HTTPConnection, watchdog: threading.Timer, late: threading.Event, body: bytes,
    ) -> Outcome:
        connection.connect()
        self._open = connection
        watchdog.start()    # the timeout of a socket begins anew with every byte; this one does not
        headers = {"Content-Type": "application/json", "User-Agent": "qmo-alert", "Connection": "close"}
        connection.request("POST", self.path, body, headers)
        answer = connection.getresponse()
        if late.is_set():
            raise TimeoutError  # what was cut off reads like an answer with fewer headers
        return judged(answer.status, answer.getheader("Retry-After"), self.clock.wall())

    def _body(self, message: Message) -> bytes:
        body = body_of(message)
        if self.template is None:
            return msgspec.json.encode(body)
        words = {name: str(value) for name, value in msgspec.to_builtins(body).items() if value is not None}
        return json.dumps(filled(self.template, words), ensure_ascii=False).encode()


def hang_up(connection: http.client.HTTPConnection, late: threading.Event | None = None) -> None:
    """Wake whoever waits for the other side, who can see by ``late`` why."""
    sock = connection.sock
    if late is not None:
        late.set()
    if sock is not None:
        with suppress(OSError):
            socket.socket.shutdown(sock, socket.SHUT_RDWR)


def plain(error: Exception) -> str:
    """What went wrong, without anything of the address."""
    if isinstance(error, socket.gaierror):
        return "the host is not known"
    return getattr(error, "strerror", None) or type(error).__name__


def judged(status: int, after: str | None, now: int) -> Outcome:
    """What an answer means."""
    if 200 <= status < 300:
        return Outcome()
    if 300 <= status < 400:
        return Outcome(f"answered {status}; redirects are not followed, give the address that it leads to", final=True)
    if status in AGAIN or status >= 500:
        return Outcome(f"answered {status}", after=retry_after(after, now))
    return Outcome(f"answered {status}", final=True)


def retry_after(text: str | None, now: int) -> float | None:
    """s of a Retry-After header: a number, or a date. None where it says nothing that can be read.

    >>> retry_after("7", 0), retry_after("soon", 0), retry_after("Thu, 01 Jan 1970 00:01:00 GMT", 0)
    (7.0, None, 60.0)
    """
    if text is None:
        return None
    if re.fullmatch(r"\d{1,9}(\.\d+)?", text.strip(), re.ASCII):  # some send fractions
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now / SECOND)
    except (ValueError, OverflowError):
        return None


def body_of(message: Message) -> AlertBody:
    """What there is to say, as fields."""
    parcel = message.parcel
    newest = parcel.newest
    return AlertBody(
        message.text, message.text, message.title, parcel.kind, newest.topic, newest.id, newest.series, newest.symbol,
        iso(newest.ts), newest.type, newest.price, newest.quality, parcel.count,
    )


def filled(template: Any, words: dict[str, str]) -> Any:
    """The template with {text} and the like replaced, in strings only: no word of the data can change its shape.

    >>> filled({"message": "{kind}: {text}", "priority": 4}, {"text": 'a "b"', "kind": "opened"})
    {'message': 'opened: a "b"', 'priority': 4}
    """
    if isinstance(template, str):
        return NAME.sub(lambda match: words.get(match[1], ""), template)
    if isinstance(template, dict):
        return {name: filled(value, words) for name, value in template.items()}
    return [filled(value, words) for value in template] if isinstance(template, list) else template


def parsed_template(text: str) -> Any:
    """The JSON of --template, or of the file after an @. Raises UsageError."""
    try:
        source = Path(text[1:]).read_text(encoding="utf-8") if text.startswith("@") else text
        template = json.loads(source)
    except (OSError, ValueError) as error:
        raise UsageError(f"--template: {getattr(error, 'strerror', None) or f'this is not JSON: {error}'}") from error
    known = set(AlertBody.__struct_fields__)
    unknown = sorted(set(NAME.findall(json.dumps(template))) - known)
    if unknown:
        raise UsageError(f"--template: there is no {{{unknown[0]}}}; there are {', '.join(sorted(known))}")
    return template


def address(file: str | None) -> str:
    """The address from the file that only its owner can read, else from the environment; "" where there is none."""
    from ..feeds.keys import read_private

    if file is not None:
        text = read_private(Path(file))
        if not text:
            raise ConfigurationError(f"--webhook-file {file}: the file is empty")
        return text
    return os.environ.get(VARIABLE, "").strip()


def webhook(url: str, timeout: float, template: str | None) -> Webhook:
    """The target behind an address. Raises ConfigurationError, without a word of the address but its host."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ConfigurationError("the address of the webhook is damaged") from None
    if parts.scheme not in ("http", "https") or not host or not url.isascii() or not url.isprintable() or " " in url:
        raise ConfigurationError("the address of the webhook is damaged; it must begin with https://")
    if parts.username is not None:
        raise ConfigurationError(f"the webhook at {host}: a name and password in an address are not sent; use --exec")
    if parts.scheme == "http" and host not in LOCAL:
        raise ConfigurationError(f"the webhook at {host} must be https://; only this machine's own may be http://")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    made = None if template is None else parsed_template(template)
    return Webhook(host, port, path, parts.scheme == "https", timeout, made)


