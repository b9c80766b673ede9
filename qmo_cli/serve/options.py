"""How a server listens, and whom it answers."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from ..errors import ConfigurationError, UsageError
from ..feeds.keys import find_secret, read_private
from ..times import duration

PORT = 8750
TOKEN_VARIABLE = "QMO_TOKEN"     # noqa: S105  the variable's name
TOKEN_CREDENTIAL = "qmo.token"   # noqa: S105  a file's name: systemd's credentials, else $XDG_CONFIG_HOME/qmo
LEAST_TOKEN = 16                 # characters: anything shorter can be guessed
LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """How a server listens, and whom it answers."""

    host: str = field(default="127.0.0.1", metadata={
        "help": "Address to listen on. Any but this machine's own needs a token.", "metavar": "ADDRESS"})
    port: int = field(default=PORT, metadata={"help": "Port; 0 takes one that is free.", "metavar": "PORT"})
    token_file: str | None = field(default=None, metadata={
        "help": f"File (mode 600) with the token that clients must show; or set {TOKEN_VARIABLE}.", "metavar": "FILE"})
    tls_cert: str | None = field(default=None, metadata={
        "help": "Certificate chain (PEM), for https.", "metavar": "FILE"})
    tls_key: str | None = field(default=None, metadata={"help": "Its private key (PEM).", "metavar": "FILE"})
    allow_origin: tuple[str, ...] = field(default=(), metadata={
        "help": "Let pages of this origin, such as https://desk.example, ask too; may be given several times.",
        "metavar": "ORIGIN"})
    allow_host: tuple[str, ...] = field(default=(), metadata={
        "help": "Another name under which this server is reached, as behind a proxy; may be given several times.",
        "metavar": "NAME"})
    stale_after: str = field(default="10s", metadata={
        "help": "Without a packet for this long, what was seen is stale; of quotes three polls.", "metavar": "TIME"})
    max_rate: float = field(default=20.0, metadata={
        "help": "Most frames a second that a client is sent.", "metavar": "N"})
    max_clients: int = field(default=2000, metadata={
        "help": "Most connections at a time; more are answered with 503.", "metavar": "N"})

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise UsageError(f"--port {self.port}: a port is a number from 0 to 65535")
        if not 0.1 <= self.max_rate <= 1000:
            raise UsageError(f"--max-rate {self.max_rate:g}: from 0.1 to 1000 frames a second")
        if self.max_clients < 1:
            raise UsageError(f"--max-clients {self.max_clients}: at least 1")
        if (self.tls_cert is None) != (self.tls_key is None):
            raise UsageError("--tls-cert and --tls-key go together: a certificate is of no use without its key")
        for origin in self.allow_origin:
            if not urlsplit(origin).netloc:
                raise UsageError(f"--allow-origin {origin}: an origin is like https://desk.example")
        self.stale_seconds()

    def stale_seconds(self) -> float:
        """``stale_after`` in seconds."""
        try:
            seconds = duration(self.stale_after) / 1e9
        except ValueError as error:
            raise UsageError(f"--stale-after {self.stale_after}: {error}") from error
        if not seconds:
            raise UsageError("--stale-after must be more than 0")
        return seconds

    def local(self) -> bool:
        """Whether only this machine can reach the address."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host.strip("[]")).is_loopback
        except ValueError:
            return False


def token_of(options: ServeOptions) -> str | None:
    """The token that clients must show; None where none is wanted.

    From ``--token-file``, else the environment, else systemd's credentials, else the folder of the configuration.
    Raises NotEntitled for a file that others can read, ConfigurationError for a token that can be guessed, UsageError
    for an open address without one.
    """
    token, place = _find(options.token_file)
    if token is None:
        if not options.local():
            raise UsageError(
                f"--host {options.host} can be reached from other machines, so it needs a token: "
                "openssl rand -hex 32 > token; chmod 600 token; qmo serve --token-file token ...")
        return None
    if len(token) < LEAST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        raise ConfigurationError(
            f"the token in {place} must be one word of at least {LEAST_TOKEN} plain characters; "
            "openssl rand -hex 32 makes one")
    return token


def _find(file: str | None) -> tuple[str | None, str]:
    if file is not None:
        return read_private(Path(file)), file
    if TOKEN_VARIABLE in os.environ:
        return os.environ[TOKEN_VARIABLE].strip(), TOKEN_VARIABLE
    token, place = find_secret(TOKEN_VARIABLE, TOKEN_CREDENTIAL)
    return token or None, place


