"""A proxy between a courier and a receiver that may speak TLS, look at everything, and go wrong in one way; one thread, asyncio."""

import asyncio
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum

CHUNK_BYTES = 4096


class Mode(StrEnum):
    """What the proxy does to a connection."""

    PASS = "pass"
    RESET_UP = "reset after so many chunks of the request"
    RESET_DOWN = "the request arrives, and its answer is lost"
    BLACK_HOLE = "everything is taken and nothing goes on"
    TRICKLE = "the answer comes a byte at a time, too slowly"
    DUPLICATE = "the request arrives twice"
    HOLD_BACK = "the request arrives after the next one"


@dataclass
class Proxy:
    """Listens on 127.0.0.1 and forwards to a port.

    Attributes:
        target: The receiver's port.
        mode: What happens to connections from now on.
        after: For RESET_UP, how many chunks of CHUNK_BYTES are let through.
        seen: All bytes that went by, both ways, as they are after TLS ended here.
        held: Requests that HOLD_BACK keeps; `let_go` forwards them.
    """

    target: int
    tls: ssl.SSLContext | None = None
    mode: Mode = Mode.PASS
    after: int = 0
    seen: bytearray = field(default_factory=bytearray)
    held: list[bytes] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    over: asyncio.Event | None = None

    async def serve(self, ready: threading.Event) -> None:
        self.over = asyncio.Event()
        server = await asyncio.start_server(self._one, "127.0.0.1", 0, ssl=self.tls)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await self.over.wait()
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(OSError, ssl.SSLError, asyncio.IncompleteReadError):
            await self._act(reader, writer)
        with suppress(OSError, ssl.SSLError):
            writer.close()

    async def _act(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        mode, after = self.mode, self.after
        if mode is Mode.PASS:
            await self._tunnel(reader, writer)
            return
        request = await self._request(reader, after if mode is Mode.RESET_UP else None)
        match mode:
            case Mode.RESET_UP:
                with suppress(OSError):
                    await self._forward(request, wait=False)
                _reset(writer)
            case Mode.RESET_DOWN:
                await self._forward(request)
                _reset(writer)
            case Mode.BLACK_HOLE:
                await reader.read()  # until the courier gives up
            case Mode.TRICKLE:
                for byte in await self._forward(request):
                    writer.write(bytes([byte]))
                    await writer.drain()
                    await asyncio.sleep(0.2)
            case Mode.DUPLICATE:
                first, second = await asyncio.gather(self._forward(request), self._forward(request))
                writer.write(second if b" 20" in second[:13] else first)
                await writer.drain()
            case Mode.HOLD_BACK:
                self.held.append(request)
                _reset(writer)

    async def let_go(self) -> None:
        """Forward what was held back, the latest first."""
        while self.held:
            await self._forward(self.held.pop())

    async def _request(self, reader: asyncio.StreamReader, chunks: int | None) -> bytes:
        """A whole request, or its first chunks."""
        head = await reader.readuntil(b"\r\n\r\n")
        lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        left = int(lengths[0]) if lengths else 0
        body = await reader.readexactly(left if chunks is None else min(left, chunks * CHUNK_BYTES))
        self.seen += head + body
        return head + body

    async def _forward(self, request: bytes, *, wait: bool = True) -> bytes:
        """Send it to the receiver on a connection of its own; the answer, if it is waited for."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.target)
        try:
            writer.write(request.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n", 1))
            await writer.drain()
            answer = await reader.read() if wait else b""
        finally:
            if wait:
                writer.close()
            else:
                _reset(writer)
        self.seen += answer
        return answer

    async def _tunnel(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs, ours = await asyncio.open_connection("127.0.0.1", self.target)
        await asyncio.gather(self._pump(reader, ours), self._pump(theirs, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                self.seen += data
                writer.write(data)
                await writer.drain()
        writer.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    raw = writer.get_extra_info("socket")
    with suppress(OSError):
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@contextmanager
def proxying(target: int, tls: ssl.SSLContext | None = None) -> Iterator[tuple[Proxy, asyncio.AbstractEventLoop]]:
    """A proxy that runs until the end of the block, and its loop."""
    proxy, ready, loop = Proxy(target, tls), threading.Event(), asyncio.new_event_loop()
    thread = threading.Thread(target=lambda: loop.run_until_complete(proxy.serve(ready)), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield proxy, loop
    finally:
        assert proxy.over
        loop.call_soon_threadsafe(proxy.over.set)
        thread.join(10)
        loop.close()
