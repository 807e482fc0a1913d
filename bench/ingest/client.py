"""python -m bench.ingest.client HOST PORT PREFIX POOL CONNECTIONS: sends every envelope of a pool once, over kept connections.

One thread, one epoll, no HTTP library: a body goes from the page cache to the socket in one call, so that what is measured is the server.
Prints one JSON object; `cpu_share` says how much of one core this process itself used.
"""

import json
import mmap
import select
import socket
import sys
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from pathlib import Path

from bench.ingest.pool import Place, places

_SOCKET_BYTES = 2 * 1024 * 1024  # more than one envelope: a body leaves in one call if the server reads on


@dataclass(slots=True)
class _Connection:
    """One kept connection: what is still to be sent, and what has come back."""

    socket: socket.socket
    rest: list[memoryview] = field(default_factory=list)
    answer: bytes = b""
    began_s: float = 0.0


class Client:
    """Sends as long as there is something to send; one request at a time on each connection."""

    def __init__(self, address: tuple[str, int], prefix: str, pool: Path, connections: int) -> None:
        self._address = address
        self._prefix = prefix
        with pool.open("rb") as file:
            self._bytes = memoryview(mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ))
        self._waiting = deque(places(pool))
        self._poll = select.epoll()
        self._connections = {}
        for _ in range(connections):
            connected = _Connection(self._connect())
            self._connections[connected.socket.fileno()] = connected
        self.latencies_s: list[float] = []
        self.statuses: Counter[int] = Counter()

    def run(self) -> None:
        """Until every envelope has its answer."""
        busy = 0
        for connection in self._connections.values():
            busy += self._next(connection)
        while busy:
            for number, _ in self._poll.poll():
                connection = self._connections[number]
                if connection.rest:
                    self._send(connection)
                elif self._receive(connection):
                    busy += self._next(connection) - 1

    def _connect(self) -> socket.socket:
        made = socket.create_connection(self._address)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SOCKET_BYTES)
        made.setblocking(False)
        self._poll.register(made, select.EPOLLIN)
        return made

    def _next(self, connection: _Connection) -> bool:
        """Begins the next request. False if there is none left."""
        if not self._waiting:
            return False
        place: Place = self._waiting.popleft()
        head = f"PUT {self._prefix}{place.id} HTTP/1.1\r\nHost: bench\r\nContent-Length: {place.length_bytes}\r\n\r\n".encode()
        connection.rest = [memoryview(head), self._bytes[place.start : place.start + place.length_bytes]]
        connection.answer = b""
        connection.began_s = time.perf_counter()
        self._send(connection)
        return True

    def _send(self, connection: _Connection) -> None:
        try:
            sent = connection.socket.sendmsg(connection.rest)
        except BlockingIOError:
            sent = 0
        while connection.rest and sent >= len(connection.rest[0]):
            sent -= len(connection.rest.pop(0))
        if connection.rest:
            connection.rest[0] = connection.rest[0][sent:]
        self._poll.modify(connection.socket, select.EPOLLOUT if connection.rest else select.EPOLLIN)

    def _receive(self, connection: _Connection) -> bool:
        """Whether the answer is whole."""
        came = connection.socket.recv(65536)
        if not came:
            raise ConnectionError("the server closed a connection in the middle of the measurement")
        connection.answer += came
        head, ended, body = connection.answer.partition(b"\r\n\r\n")
        if not ended or len(body) < _length_bytes(head):
            return False
        self.latencies_s.append(time.perf_counter() - connection.began_s)
        self.statuses[int(head[9:12])] += 1
        return True


def _length_bytes(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line[15:])
    return 0


def main() -> None:
    """Send, and print what it came to."""
    host, port, prefix, pool, connections = sys.argv[1:]
    client = Client((host, int(port)), prefix, Path(pool), int(connections))
    began_s, cpu_s = time.perf_counter(), time.process_time()
    client.run()
    elapsed_s, cpu_s = time.perf_counter() - began_s, time.process_time() - cpu_s
    said = {"elapsed_s": elapsed_s, "cpu_share": cpu_s / elapsed_s, "latencies_s": client.latencies_s, "statuses": dict(client.statuses)}
    sys.stdout.write(json.dumps(said))


if __name__ == "__main__":
    main()
