"""Who may ask, and what an answer may do in a browser: host, origin, token, size of a body, headers."""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

import msgspec
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .options import LOCAL_NAMES, ServeOptions

PROTOCOL = "qmo.v1"                  # the WebSocket's
TOKEN_PROTOCOL = "qmo.token."        # noqa: S105  a prefix
LARGEST_BODY = 64 << 10              # bytes; none is ever needed
OPEN = ("/static/", "/healthz")      # no data in them
CHART_STYLE = "sha256-3pRED1tOXas1FXFoPb9TGCjmYe9XQsmO9OV23khV2nY="   # the chart library writes one, for its logo
CONTENT_POLICY = (
    f"default-src 'none'; script-src 'self'; style-src 'self' '{CHART_STYLE}'; img-src 'self' data:; connect-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = (
    (b"x-content-type-options", b"nosniff"), (b"x-frame-options", b"DENY"), (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"), (b"content-security-policy", CONTENT_POLICY.encode()),
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not answered."""

    status: HTTPStatus
    message: str
    headers: tuple[tuple[bytes, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Rules:
    """Whom a server answers."""

    token: str | None
    hosts: frozenset[str] | None         # names under which it may be reached; None: any, since a token is asked for
    origins: frozenset[str]              # of pages elsewhere that may ask

    @classmethod
    def of(cls, options: ServeOptions, token: str | None) -> Rules:
        """The rules that the options ask for.

        Without a token a page elsewhere could have its own name point at this machine and read everything (DNS
        rebinding), so that then the name must be one of ours.
        """
        hosts = None if token else frozenset({*LOCAL_NAMES, options.host, *options.allow_host})
        return cls(token, hosts, frozenset(origin.rstrip("/").lower() for origin in options.allow_origin))

    def refusal(self, scope: Scope) -> Refusal | None:
        """Why this request may not be answered; None if it may."""
        headers = Headers(scope=scope)
        if self.hosts is not None and host_name(headers.get("host", "")) not in self.hosts:
            return Refusal(HTTPStatus.MISDIRECTED_REQUEST, "this server is not known by that name; see --allow-host")
        origin = headers.get("origin")
        if origin is not None and not self.known(origin, headers.get("host", "")):
            return Refusal(HTTPStatus.FORBIDDEN, "pages of that origin may not ask; see --allow-origin")
        if self.token is not None and not _open(scope["path"]) and not self._shown(scope, headers):
            return Refusal(HTTPStatus.UNAUTHORIZED, "the token is missing or wrong",
                           ((b"www-authenticate", b'Bearer realm="qmo"'),))
        if int_or_zero(headers.get("content-length")) > LARGEST_BODY:
            return Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"no body may be longer than {LARGEST_BODY} bytes")
        return None

    def known(self, origin: str, host: str) -> bool:
        """Whether a page of this origin may ask: one that came from here, or one that was allowed."""
        return place_of(origin) == host.lower() != "" or origin.rstrip("/").lower() in self.origins

    def _shown(self, scope: Scope, headers: Headers) -> bool:
        if scope["type"] == "websocket":
            shown = [token for token in map(token_in, scope.get("subprotocols", ())) if token is not None]
            if shown:
                return self._equal(shown[0])
        scheme, _, token = headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and self._equal(token.strip())

    def _equal(self, shown: str) -> bool:
        return hmac.compare_digest(shown.encode("utf-8", "replace"), (self.token or "").encode())


def _open(path: str) -> bool:
    return path == "/" or path.startswith(OPEN)


def place_of(origin: str) -> str:
    """Host and port of an origin; nothing where it is none.

    >>> place_of("https://Desk.example:8443"), place_of("null"), place_of("http://[")
    ('desk.example:8443', '', '')
    """
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def host_name(host: str) -> str:
    """The name in a Host header, without its port.

    >>> host_name("localhost:8750"), host_name("[::1]:8750"), host_name("Desk")
    ('localhost', '[::1]', 'desk')
    """
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).lower()


def int_or_zero(text: str | None) -> int:
    """A number of a header; what is none counts as nothing."""
    return int(text) if text is not None and text.isascii() and text.isdigit() else 0


def token_in(protocol: str) -> str | None:
    """The token that a browser sends as a subprotocol, since it cannot set a header; None where it is none."""
    if not protocol.startswith(TOKEN_PROTOCOL):
        return None
    text = protocol.removeprefix(TOKEN_PROTOCOL)
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except (binascii.Error, ValueError):
        return ""


def error_body(status: int, message: str) -> bytes:
    """What stands in every answer that is an error."""
    return msgspec.json.encode({"error": {"code": status, "message": message}})


class Guard:
    """ASGI middleware: refuses what the rules do, and gives every answer the headers that a browser heeds."""

    def __init__(self, app: ASGIApp, rules: Rules) -> None:
        self.app, self.rules = app, rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        refusal = self.rules.refusal(scope)
        if refusal is None:
            await self.app(scope, receive, guarded(send, with_body(scope)))
        else:
            await refuse(scope, receive, guarded(send, with_body(scope)), refusal)


def with_body(scope: Scope) -> bool:
    """Whether a body comes with the request: none is read, so that the connection cannot go on after the answer."""
    names = {name for name, _ in scope["headers"]}
    return b"content-length" in names or b"transfer-encoding" in names


def guarded(send: Send, last: bool) -> Send:
    """Add the headers to whatever begins an answer."""

    async def call(message: Message) -> None:
        if message["type"] in ("http.response.start", "websocket.http.response.start"):
            more = [*HEADERS, (b"connection", b"close")] if last else HEADERS
            message["headers"] = [*message.get("headers", ()), *more]
        await send(message)

    return call


async def refuse(scope: Scope, receive: Receive, send: Send, refusal: Refusal) -> None:
    """Answer with an error; a WebSocket before it is one."""
    body = error_body(refusal.status, refusal.message)
    kind = "http.response" if scope["type"] == "http" else "websocket.http.response"
    if scope["type"] == "websocket":
        await receive()     # the connect
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)), *refusal.headers]
    await send({"type": f"{kind}.start", "status": int(refusal.status), "headers": headers})
    await send({"type": f"{kind}.body", "body": b"" if scope.get("method") == "HEAD" else body})
