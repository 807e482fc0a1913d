"""The indicator's end of the control socket: framed messages, read when there are some, never waited for.

It refuses to talk to a socket that another person serves: a stranger's daemon could make the icon lie.
"""

import os
import socket

from agent import peer
from agent.messages import Answer, Done, Refused, Request, decode_answer, encode
from agent.tray.errors import DaemonGone, NotUnderstood
from consent.frames import FrameError, Splitter, frame
from consent.unreadable import UNREADABLE

CONNECT_S = 1.0
_READ_BYTES = 65_536
_GONE = "the daemon is gone", "start it with volens run"


class Link:
    """One connection to the daemon."""

    def __init__(self, path: str) -> None:
        """Connects. Raises DaemonGone."""
        self._splitter = Splitter()
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(CONNECT_S)
        try:
            self._socket.connect(path)
            uid = peer.uid_of(self._socket)
        except OSError as error:
            self._socket.close()
            raise DaemonGone(*_GONE) from error
        if uid != os.geteuid():
            self._socket.close()
            raise DaemonGone("another person's process serves the control socket", "check who owns the runtime folder")

    def fileno(self) -> int:
        """For select."""
        return self._socket.fileno()

    def close(self) -> None:
        """Hangs up."""
        self._socket.close()

    def send(self, message: Request) -> None:
        """Sends. Raises DaemonGone."""
        try:
            self._socket.sendall(frame(encode(message)))
        except OSError as error:
            raise DaemonGone(*_GONE) from error

    def read(self) -> list[Answer]:
        """What has arrived. Call when readable. Raises DaemonGone at the end, or at the first thing that is no message."""
        try:
            data = self._socket.recv(_READ_BYTES)
            if not data:
                raise DaemonGone(*_GONE)
            return [decode_answer.decode(body) for body in self._splitter.feed(data)]
        except OSError as error:
            raise DaemonGone(*_GONE) from error
        except (FrameError, *UNREADABLE) as error:
            raise NotUnderstood(
                "the daemon and this indicator do not understand each other", "restart Volens; update it if that fails"
            ) from error


class Asked:
    """A person's request on a short connection of its own, so that it never queues behind the indicator's."""

    def __init__(self, path: str, request: Request, unanswered: str, deadline_ms: int) -> None:
        """Connects and asks. `unanswered`: the words if no answer has come by `deadline_ms` (awake clock). Raises DaemonGone."""
        self.unanswered = unanswered
        self.deadline_ms = deadline_ms
        self._link = Link(path)
        self._link.send(request)

    def fileno(self) -> int:
        """For select."""
        return self._link.fileno()

    def close(self) -> None:
        """Hangs up."""
        self._link.close()

    def read(self) -> str | None:
        """The answer in words; None if it is not there yet. Call when readable."""
        try:
            for answer in self._link.read():
                return _words(answer)
        except DaemonGone:
            return self.unanswered
        return None


def _words(answer: Answer) -> str:
    match answer:
        case Done(words):
            return words
        case Refused(what, do):
            return f"Not done: {what}; {do}"
    return "Done"
