"""The daemon's end of the control socket, as a small real server without a thread: the test reads what has come and says what to answer."""

import os
import select
import socket
import time
from pathlib import Path
from typing import TypeVar

from agent.messages import Answer, Appear, Attach, Challenge, Message, Proven, decode_request, encode
from consent.frames import Splitter, frame
from consent.vocabulary import State

M = TypeVar("M", bound=Message)


def appear(state: State, *, recorded: bool = False, **more: object) -> Appear:
    """What to show; words and since-when are made up."""
    return Appear(state=state, recorded=recorded, words=f"words for {state}", since_wall_ms=1_795_000_000_000, **more)  # type: ignore[arg-type]


class Connection:
    """One connection from the tray."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self._splitter = Splitter()
        self.open = True

    def read(self) -> list[Message]:
        """What has come; notes the end."""
        data = self.socket.recv(65_536)
        self.open = bool(data)
        return [decode_request.decode(body) for body in self._splitter.feed(data)]

    def say(self, message: Answer) -> None:
        """Sends."""
        self.socket.sendall(frame(encode(message)))

    def hang_up(self) -> None:
        """Closes this end."""
        self.open = False
        self.socket.close()


class Daemon:
    """Listens on a socket and keeps every message until a test asks for it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._connections: list[Connection] = []
        self._came: list[tuple[Connection, Message]] = []
        self.indicator: Connection | None = None
        self.attach: Attach | None = None

    def close(self) -> None:
        """Hangs up on everybody."""
        for each in self._connections:
            each.hang_up()
        self._listener.close()

    def wait_for(self, kind: type[M], timeout_s: float = 10.0) -> tuple[Connection, M]:
        """The oldest message of that kind that was not taken yet. Fails the test if none comes."""
        deadline = time.monotonic() + timeout_s
        while True:
            for index, (connection, message) in enumerate(self._came):
                if isinstance(message, kind):
                    del self._came[index]
                    return connection, message
            left_s = deadline - time.monotonic()
            assert left_s > 0, f"no {kind.__name__} came"
            self._take_in(left_s)

    def attached(self, form: str, timeout_s: float = 10.0) -> Attach:
        """Waits until an indicator of that form attaches; it is the one to talk to from then on."""
        while True:
            connection, attach = self.wait_for(Attach, timeout_s)
            self.indicator, self.attach = connection, attach
            if attach.form == form:
                return attach

    def show(self, message: Appear) -> None:
        """Tells the attached indicator what to show."""
        assert self.indicator is not None
        self.indicator.say(message)

    def challenge(self, timeout_s: float = 1.0) -> Proven:
        """Challenges the attached indicator; its answer to just this challenge."""
        assert self.indicator is not None
        nonce = os.urandom(16)
        self.indicator.say(Challenge(nonce))
        _, proven = self.wait_for(Proven, timeout_s)
        assert proven.nonce == nonce
        return proven

    def _take_in(self, wait_s: float) -> None:
        sockets = {each.socket: each for each in self._connections if each.open}
        ready, _, _ = select.select([self._listener, *sockets], [], [], wait_s)
        for sock in ready:
            if sock is self._listener:
                self._connections.append(Connection(sock.accept()[0]))
            else:
                self._came += [(sockets[sock], message) for message in sockets[sock].read()]
