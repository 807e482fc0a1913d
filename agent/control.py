"""The daemon's end of the control socket: who may speak, framing, one request at a time a connection. Says nothing itself.

The socket is 0600 in a 0700 folder, and the peer's uid is checked besides: only the person whose session this is may speak,
not even root on their behalf. A connection that breaks the framing, or says what does not decode, is closed.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from agent import messages, peer
from consent.frames import FrameError, Splitter, frame
from consent.unreadable import UNREADABLE

MAX_CONNECTIONS = 16
"""An indicator, a watcher or two, a view, and commands; a hundred connections are an attack on memory."""

_READ_BYTES = 64 * 1024
_HEAR_OUT_S = 0.2


class Connection:
    """One accepted connection: say answers, hear requests. `pid` is the process that opened it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.pid = peer.pid_of(writer.get_extra_info("socket"))
        self._splitter = Splitter()

    def say(self, answer: messages.Answer) -> None:
        """Send an answer; a peer that has gone is noticed when it is heard."""
        if not self._writer.is_closing():
            self._writer.write(frame(messages.encode(answer)))

    @property
    def slow(self) -> bool:
        """Whether the peer has not taken what was said before: a stream may skip it."""
        return self._writer.transport.get_write_buffer_size() > _READ_BYTES

    async def drain(self) -> None:
        """Wait until the peer has taken most of what was said (for streams)."""
        with contextlib.suppress(ConnectionError):
            await self._writer.drain()

    async def requests(self) -> AsyncIterator[messages.Request]:
        """The peer's requests until it hangs up or breaks the rules."""
        while data := await self._read():
            try:
                for body in self._splitter.feed(data):
                    yield messages.decode_request.decode(body)
            except (FrameError, *UNREADABLE):
                self.say(messages.Refused("that is no request of this version", "use the volens command that came with this daemon"))
                return

    async def turn_away(self, what: str, do: str) -> None:
        """Say no to whatever comes. The kernel drops what was said to a peer whose own words are unread when we hang up."""
        self.say(messages.Refused(what, do))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_HEAR_OUT_S):
                await self._read()

    def close(self) -> None:
        """Hang up."""
        self._writer.close()

    async def _read(self) -> bytes:
        try:
            return await self._reader.read(_READ_BYTES)
        except ConnectionError:
            return b""


async def listen(path: Path, serve: Callable[[Connection], Awaitable[None]]) -> asyncio.Server:
    """Accept connections of this person at `path`, each served by `serve`. The daemon's lock is held: a stale socket is removed."""
    live = 0

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal live
        connection = Connection(reader, writer)
        live += 1
        try:
            if peer.uid_of(writer.get_extra_info("socket")) != os.geteuid():
                await connection.turn_away("this is another person's agent", "use your own session")
            elif live > MAX_CONNECTIONS:
                await connection.turn_away("too many connections", "close some and try again")
            else:
                await serve(connection)
        except asyncio.CancelledError:
            return  # the daemon ends; asyncio's streams would print a cancelled task as a fault
        finally:
            live -= 1
            connection.close()

    path.unlink(missing_ok=True)
    before = os.umask(0o177)
    try:
        return await asyncio.start_unix_server(accept, path)
    finally:
        os.umask(before)
