"""The client's end of the control socket: what the command line and the pages say to the daemon. Blocking, short-lived.

A daemon that does not answer within a second is as good as dead: the caller takes its lock and acts by itself.
"""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from agent import messages
from agent.errors import NotRunning
from agent.lock import BUSY_AT_MOST_S
from consent.frames import FrameError, Splitter, frame
from consent.unreadable import UNREADABLE

ANSWER_WITHIN_S = 1.0
"""DESIGN: the daemon answers in a second or is ended. It answers in 5 ms when idle; killing children takes 10 more."""

_READ_BYTES = 64 * 1024
_BUSY_TRIES = int(BUSY_AT_MOST_S / ANSWER_WITHIN_S)


class Channel:
    """One connection to the daemon. Raises NotRunning if nobody answers, in the constructor or later.

    Args:
        path: The control socket.
        within_s: How long each answer may take.
        busy: Whether the daemon says that it has work in hand: then its answer may take BUSY_AT_MOST_S.
    """

    def __init__(self, path: Path, within_s: float = ANSWER_WITHIN_S, busy: Callable[[], bool] = lambda: False) -> None:
        self._busy = busy
        self._splitter = Splitter()
        self._ready: list[bytes] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(within_s)
        try:
            self._socket.connect(str(path))
        except OSError:
            self._socket.close()
            raise NotRunning("the daemon is not running", "start it with: volens run") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._socket.close()

    def wait_longer(self, within_s: float | None) -> None:
        """Allow the next answers more time; None: as long as it takes (for streams)."""
        self._socket.settimeout(within_s)

    def say(self, request: messages.Request) -> None:
        """Send one request."""
        try:
            self._socket.sendall(frame(messages.encode(request)))
        except OSError:
            raise _gone() from None

    def hear(self) -> messages.Answer:
        """The next answer."""
        while not self._ready:
            try:
                data = self._read()
                if not data:
                    raise _gone()
                self._ready = self._splitter.feed(data)
            except (OSError, FrameError):
                raise _gone() from None
        try:
            return messages.decode_answer.decode(self._ready.pop(0))
        except UNREADABLE:
            raise NotRunning("the daemon speaks another version", "restart it: volens run") from None

    def _read(self) -> bytes:
        for _ in range(_BUSY_TRIES):
            try:
                return self._socket.recv(_READ_BYTES)
            except TimeoutError:
                if not self._busy():
                    raise
        raise TimeoutError

    def ask(self, request: messages.Request) -> messages.Answer:
        """Send a request and return its first answer."""
        self.say(request)
        return self.hear()

    def stream(self, request: messages.Request) -> Iterator[messages.Answer]:
        """Send a request and yield its answers until HeldEnd or a refusal."""
        self.say(request)
        while True:
            answer = self.hear()
            if isinstance(answer, messages.HeldEnd):
                return
            yield answer


def _gone() -> NotRunning:
    return NotRunning("the daemon does not answer", "start it with: volens run")
