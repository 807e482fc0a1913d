"""A disposable child process of the daemon, and what it says. Its life is one generation; ending it is SIGKILL and wait.

The child's standard input and one extra pipe are ours; its standard output goes nowhere (libraries print). It imports only
what it needs, because `agent.__main__` starts it by name before anything else is imported.
"""

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Sequence

from consent.frames import FrameError, Splitter, frame

_READ_BYTES = 64 * 1024


def command(name: str, *arguments: str) -> list[str]:
    """How a child is started: isolated, by its name. Tests without a display put a stand-in for the observer here."""
    return [sys.executable, "-I", "-m", "agent", name, *arguments]


class Child:
    """A running child. `heard` gets each of its messages, `ended` is called once when it is gone by itself.

    Args:
        name: observer or courier.
        loop: The daemon's loop; the child's pipe is read on it.
        more: Arguments of the child's own; any account can read them.
    """

    def __init__(
        self,
        name: str,
        loop: asyncio.AbstractEventLoop,
        heard: Callable[[bytes], None],
        ended: Callable[[], None],
        more: Sequence[str] = (),
    ) -> None:
        self._loop, self._heard, self._ended = loop, heard, ended
        self._splitter = Splitter()
        self._up, up = os.pipe()
        os.set_blocking(self._up, False)
        self._process = subprocess.Popen(command(name, str(up), *more), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, pass_fds=(up,))  # noqa: S603
        os.close(up)
        self._down = self._process.stdin.fileno() if self._process.stdin else -1
        os.set_blocking(self._down, False)
        self._unsent = bytearray()
        loop.add_reader(self._up, self._read)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def ending(self) -> str:
        """How it ended by itself, for people."""
        code = self._process.returncode
        return f"by signal {-code}" if code is not None and code < 0 else f"with exit code {code}"

    def say(self, body: bytes) -> None:
        """Send one message down, without ever waiting for a child that does not read."""
        self._unsent += frame(body)
        self._write()

    def kill(self) -> None:
        """End it now and reap it; nothing that it has not said yet will be heard. Takes about 7 ms."""
        if self._up < 0:
            return
        self._process.kill()
        self._close()
        self._process.wait()

    def _close(self) -> None:
        self._loop.remove_reader(self._up)
        self._loop.remove_writer(self._down)
        os.close(self._up)
        self._up = -1
        self._unsent.clear()
        if self._process.stdin:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()

    def _write(self) -> None:
        if self._up < 0:
            return
        try:
            del self._unsent[: os.write(self._down, self._unsent)]
        except BlockingIOError:
            pass
        except BrokenPipeError:
            self._unsent.clear()  # that it is gone is noticed where it is heard
        if self._unsent:
            self._loop.add_writer(self._down, self._write)
        else:
            self._loop.remove_writer(self._down)

    def _read(self) -> None:
        data = os.read(self._up, _READ_BYTES)
        try:
            bodies = self._splitter.feed(data)
        except FrameError:
            bodies, data = [], b""
        for body in bodies:
            if self._up >= 0:  # hearing one message may have ended this child
                self._heard(body)
        if not data and self._up >= 0:
            self.kill()
            self._ended()
