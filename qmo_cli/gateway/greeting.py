"""The handshake: a greeting, a challenge, and whether its answer is good."""

from __future__ import annotations

import asyncio
import secrets

from . import messages
from .connection import Connection
from .faults import Fault

LIMIT = 10.0                    # seconds


class Rejected(Exception):
    """The session ends before it began; the text says why."""


async def greet(connection: Connection, number: int, key: str | None, fault: Fault | None) -> dict[str, str]:
    """Let a client in: what it said of itself. Raises Rejected, and TimeoutError where it keeps the gateway waiting."""
    if fault is not None and fault.kind != "reject":
        await _say_nothing(connection, fault)
    challenge = secrets.token_hex(messages.CHALLENGE_BYTES)
    await connection.say(f"lsg_version={messages.VERSION}", f"cram={challenge}")
    async with asyncio.timeout(LIMIT):
        fields = messages.fields_of(await connection.hear() or "")
    wrong = fault.text if fault is not None else what_is_wrong(fields, challenge, key)
    if wrong:
        await connection.say(f"success=0|error={wrong}")
        raise Rejected(wrong)
    await connection.say(f"success=1|session_id={1000 + number}")
    return fields


async def _say_nothing(connection: Connection, fault: Fault) -> None:
    """No greeting: silence for as long as the client bears it, or the end."""
    while fault.kind == "mute" and await connection.hear() is not None:
        pass
    raise Rejected("closed before the greeting")


def what_is_wrong(fields: dict[str, str], challenge: str, key: str | None) -> str:
    """Why a client cannot be let in; nothing where it can."""
    answer = fields.get("auth", "")
    if not messages.well_formed(answer) or (key is not None and not messages.right(answer, challenge, key)):
        return messages.TEXTS[messages.AUTHENTICATION]
    if fields.get("encoding", "dbn") != "dbn":
        return "Only encoding dbn is supported"
    if fields.get("compression", "none") != "none":
        return "Compression is not supported"
    return ""
