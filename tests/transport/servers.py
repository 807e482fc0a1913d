"""A receiver for tests that does exactly one thing to each connection; real sockets, no HTTP library."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Act = Callable[["Server", socket.socket], None]


@dataclass
class Server:
    """Listens on 127.0.0.1 and lets `act` answer each connection in a thread of its own.

    Attributes:
        heads: The request line and headers of each request that was read.
        received: Bytes of body that came, all connections together.
        ends: How each connection ended: "closed", "reset" or "answered".
    """

    act: Act
    heads: list[str] = field(default_factory=list)
    received: int = 0
    ends: list[str] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)
    began: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def serve(self) -> None:
        while not self.stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def stop(self) -> None:
        self.stopping.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _one(self, connection: socket.socket) -> None:
        self.began.set()
        try:
            with connection:
                self.act(self, connection)
            self.ends.append("answered")
        except ConnectionResetError:
            self.ends.append("reset")
        except OSError:
            self.ends.append("closed")
        self.ended.set()

    def read_head(self, connection: socket.socket) -> tuple[str, bytes]:
        """The request line and headers, and what came of the body with them."""
        data = b""
        while b"\r\n\r\n" not in data:
            more = connection.recv(4096)
            if not more:
                raise OSError("closed")
            data += more
        head, _, rest = data.partition(b"\r\n\r\n")
        self.heads.append(head.decode())
        self.received += len(rest)
        return head.decode(), rest

    def read_all(self, connection: socket.socket) -> str:
        """A whole request; its head."""
        head, rest = self.read_head(connection)
        lengths = [line.split(":")[1] for line in head.lower().split("\r\n") if line.startswith("content-length:")]
        left = (int(lengths[0]) if lengths else 0) - len(rest)
        while left > 0:
            more = connection.recv(65536)
            if not more:
                raise OSError("closed")
            left -= len(more)
            self.received += len(more)
        return head


def says(status: int, body: bytes | None = None, **headers: str) -> Act:
    """Read the request whole, then answer; without a body given, name the id that was put, as the receiver does."""

    def act(server: Server, connection: socket.socket) -> None:
        head = server.read_all(connection)
        named = body if body is not None else b'{"id": "%s"}' % head.split(" ")[1].rsplit("/", 1)[-1].encode()
        fields = {"content-length": str(len(named)), "connection": "close"} | {
            name.replace("_", "-"): text for name, text in headers.items()
        }
        lines = "".join(f"{name}: {text}\r\n" for name, text in fields.items())
        connection.sendall(f"HTTP/1.1 {status} X\r\n{lines}\r\n".encode() + named)

    return act


@contextmanager
def serving(act: Act) -> Iterator[Server]:
    """A server that runs until the end of the block."""
    server = Server(act)
    threading.Thread(target=server.serve, daemon=True).start()
    try:
        yield server
    finally:
        server.stop()
