"""A pseudo terminal with one command in it: read what it asks, type the answer. Keeps what was said for the search."""

import os
import pty
import re
import select
import subprocess
import termios
from collections.abc import Mapping, Sequence

from agent.demo.clock import elapsed_s
from agent.demo.errors import NotInTime
from agent.demo.wait import PATIENCE_S

_ROWS, _COLUMNS = 500, 120
"""High enough for any text that a command shows page by page."""


class Terminal:
    """A command on a pseudo terminal of its own.

    Attributes:
        said: Everything that it has printed.
        child: Its process.
    """

    def __init__(self, argv: Sequence[str], env: Mapping[str, str]) -> None:
        self._ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (_ROWS, _COLUMNS))
        self.said = b""
        try:
            self.child = subprocess.Popen(argv, env=dict(env), stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)  # noqa: S603
        finally:
            os.close(theirs)
        self._read_to = 0

    def expect(self, pattern: str) -> str:
        """Wait until it prints something that matches, after what was matched before; returns the match.

        Raises:
            NotInTime: It ended or fell silent without it.
        """
        deadline_s = elapsed_s() + PATIENCE_S
        while True:
            found = re.search(pattern.encode(), self.said[self._read_to :])
            if found:
                self._read_to += found.end()
                return found[0].decode(errors="replace")
            if not self._read(deadline_s - elapsed_s()):
                last = (self.said.decode(errors="replace").strip().splitlines() or ["nothing"])[-1]
                raise NotInTime(f"a command did not ask what it should, but said: {last[:200]}", "report this")

    def type(self, line: str) -> None:
        """Answer with one line."""
        os.write(self._ours, line.encode() + b"\n")

    def end(self) -> int:
        """Read to its end and return its exit code."""
        while self._read(PATIENCE_S):
            pass
        os.close(self._ours)
        return self.child.wait(PATIENCE_S)

    def _read(self, within_s: float) -> bool:
        ready, _, _ = select.select([self._ours], [], [], max(0.0, within_s))
        try:
            part = os.read(self._ours, 65536) if ready else b""
        except OSError:  # Linux says EIO when the other end is closed
            part = b""
        self.said += part
        return bool(part)
