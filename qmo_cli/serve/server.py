"""The server in a thread of its own, so that the feed may have the main one, where signals arrive."""

from __future__ import annotations

import logging
import resource
import signal
import socket
import ssl
from dataclasses import dataclass, field
from threading import Thread
from typing import Any

from .. import __version__
from ..board import Board
from ..errors import ConfigurationError, SourceUnavailable, UsageError
from .options import ServeOptions, token_of

logger = logging.getLogger(__name__)

GRACE = 3                # s that clients have to leave in
SEND_BUFFER = 64 << 10   # bytes in the system for each client: what waits there is old
BACKLOG = 2048
SPARE = 64               # connections more than there may be, so that they can be told
LARGEST_MESSAGE = 4 << 10  # bytes from a client: it has nothing to say


def needed() -> None:
    """Raise ConfigurationError where the packages of the extra are not there."""
    try:
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
        import websockets  # noqa: F401
    except ImportError as error:
        raise ConfigurationError(f"{error.name} is not installed; run: pip install 'qmo-cli[serve]'") from error


@dataclass(slots=True)
class Serving:
    """A board being served.

    Making one raises UsageError, NotEntitled, ConfigurationError and SourceUnavailable.
    """

    board: Board
    options: ServeOptions
    listener: socket.socket = field(init=False)
    server: Any = field(init=False)
    thread: Thread = field(init=False)
    failure: BaseException | None = None

    def __post_init__(self) -> None:
        needed()
        token = token_of(self.options)
        context = tls(self.options)
        if not self.options.local() and context is None:
            logger.warning("serve: %s can be reached from other machines and has no TLS: the token and all data can be "
                           "read on the way; see --tls-cert", self.options.host)
        make_room(self.options.max_clients)
        self.listener = listen(self.options)
        self.server = make_server(self.board, self.options, token, context)
        self.thread = Thread(target=self._run, name="serve", daemon=True)

    @property
    def url(self) -> str:
        """Where it is reached."""
        host, port = self.listener.getsockname()[:2]
        return f"http{'s' if self.options.tls_cert else ''}://{f'[{host}]' if ':' in host else host}:{port}"

    def start(self) -> None:
        """Serve from now on."""
        self.thread.start()

    def _run(self) -> None:
        # A signal that this thread took would not wake the main one out of a read.
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            self.server.run([self.listener])
        except BaseException as error:  # noqa: BLE001  it ends a thread, and stop() raises it
            self.failure = error
            logger.error("serve: the server has failed: %s: %s", type(error).__name__, error)

    def alive(self) -> bool:
        """Whether it still serves."""
        return self.thread.is_alive()

    def stop(self) -> None:
        """Let answers be finished, tell WebSocket clients to come back later, and end. Raises what ended it before."""
        self.server.should_exit = True
        self.thread.join(GRACE + 2)
        if self.failure is not None:
            raise SourceUnavailable(f"the server has failed: {self.failure}")


def listen(options: ServeOptions) -> socket.socket:
    """A socket that listens. Raises SourceUnavailable when the address cannot be had."""
    try:
        found = socket.getaddrinfo(options.host, options.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise UsageError(f"--host {options.host}: {error.strerror or error}") from error
    family, kind, protocol, _, address = found[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)   # accepted ones inherit it
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise SourceUnavailable(f"cannot listen on {options.host} port {options.port}: {error.strerror}; "
                                "is another server there? --port takes another, 0 a free one") from error
    return listener


def make_room(clients: int) -> None:
    """Let this process have as many connections open as there may be, as far as the system lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = clients + 4 * SPARE
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        if most < wanted:
            logger.warning("serve: the system lets %d files be open, too few for --max-clients %d; see ulimit -n",
                           most, clients)


def tls(options: ServeOptions) -> ssl.SSLContext | None:
    """The certificate, ready for use; None where none was given. Raises ConfigurationError for one that is no good."""
    if options.tls_cert is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(options.tls_cert, options.tls_key)
    except (OSError, ssl.SSLError) as error:
        why = getattr(error, "strerror", None) or error
        raise ConfigurationError(f"--tls-cert {options.tls_cert}, --tls-key {options.tls_key}: {why}") from error
    return context


def make_server(
    board: Board, options: ServeOptions, token: str | None, context: ssl.SSLContext | None,
) -> Any:
    """uvicorn's server, with our application and none of its own logging."""
    import uvicorn

    from .app import Service, application
    from .guard import Crowd, Rules
    from .handshake import PromptServer
    from .listener import Listener
    from .metrics import Metrics
    from .patience import patient
    from .stream import Publisher

    publisher = Publisher(board, options.max_rate)
    service = Service(board, publisher, Metrics(board, publisher, __version__))
    crowd = Crowd(options.max_clients)
    config = uvicorn.Config(
        application(service, Rules.of(options, token), crowd), http="auto", loop="auto", ws=Listener,
        lifespan="on", log_config=None, log_level="error", access_log=False, server_header=False, proxy_headers=False,
        limit_concurrency=options.max_clients + SPARE, timeout_keep_alive=5, timeout_graceful_shutdown=GRACE,
        ws_max_size=LARGEST_MESSAGE, ws_per_message_deflate=False, ws_ping_interval=20.0, ws_ping_timeout=20.0,
        h11_max_incomplete_event_size=32 << 10,
        ssl_context_factory=None if context is None else lambda *_: context,
    )
    config.load()
    config.http_protocol_class = patient(config.http_protocol_class)
    server = PromptServer(config)
    crowd.connections = server.server_state.connections
    return server
