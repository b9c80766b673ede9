"""A server that does not wait a minute for a client that opens a TLS connection and says nothing."""

from __future__ import annotations

import asyncio
import functools
import socket
from typing import Any

import uvicorn

from .patience import PATIENCE


class PromptServer(uvicorn.Server):
    """uvicorn's, which has no setting for this: such a connection is not even counted among the others."""

    handshake: float = PATIENCE          # s

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, with patience that ends."""
        loop: Any = asyncio.get_running_loop()
        if self.config.is_ssl or self.config.ssl_context_factory is not None:
            loop.create_server = functools.partial(loop.create_server, ssl_handshake_timeout=self.handshake)
        await super().startup(sockets)
