"""Keeps an indicator running: starts the icon's process, and starts it again when it ends. Never hides it, never replaces its answers.

The icon decides by itself whether it can be a tray icon or a badge. If it can be neither it ends with EXIT_NOWHERE, and
nothing is collected until a display or a tray host is there; it is then tried again every now and then, and complains once.
"""

import asyncio
import contextlib
import subprocess
import sys
from pathlib import Path

AGAIN_AFTER_S = (0.2, 0.5, 1.0, 2.0, 5.0, 15.0, 30.0)
"""A crashed icon is back at once; one that cannot be shown is tried twice a minute."""
_MOST_LINES = 50
_FEW = 2
"""More ends in a row than this are told: once or twice a panel is restarted."""
STEADY_S = 30.0
"""An icon that lasted this long starts its back-off anew."""


class Trays:
    """Runs until cancelled. `end` ends the icon: with the daemon, or because it is silent.

    Attributes:
        why: That the icon keeps ending, for people; empty once it has stayed for STEADY_S.
    """

    def __init__(self, socket: Path) -> None:
        self._command = [sys.executable, "-I", "-m", "agent", "tray", "--socket", str(socket)]
        self._process: asyncio.subprocess.Process | None = None
        self._at_once = asyncio.Event()
        self._said: set[bytes] = set()
        self.why = ""

    async def keep(self) -> None:
        """Start the icon, wait for its end, start it again."""
        failures = 0
        loop = asyncio.get_running_loop()
        while True:
            started = loop.time()
            self._process = await asyncio.create_subprocess_exec(
                *self._command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
            )
            steady = loop.call_later(STEADY_S, self._steady)
            try:
                await self._pass_on(self._process.stderr)
                await self._process.wait()
            finally:
                steady.cancel()
            if loop.time() - started > STEADY_S:
                failures = 0
                self._said.clear()
            else:
                failures += 1
            self.why = _ended(failures)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(AGAIN_AFTER_S[min(failures, len(AGAIN_AFTER_S)) - 1] if failures else AGAIN_AFTER_S[0]):
                    await self._at_once.wait()
            self._at_once.clear()

    def _steady(self) -> None:
        """It stays: why it ended before says nothing of what comes next."""
        self.why = ""

    async def _pass_on(self, complaints: asyncio.StreamReader | None) -> None:
        """What the icon complains of, until it ends; a line that it has said before, at another try, is not said again."""
        while complaints is not None:
            try:
                line = await complaints.readline()
            except ValueError:  # longer than anything that we say
                continue
            if not line:
                return
            if line not in self._said and len(self._said) < _MOST_LINES:
                self._said.add(line)
                sys.stderr.write(line.decode("utf-8", "replace"))

    @property
    def pid(self) -> int | None:
        """The process of the icon that runs now; no other process may speak for it."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    def anew(self) -> None:
        """The person wants to see the icon: end it if it runs, and start it without waiting."""
        self.end()
        self._at_once.set()

    def sooner(self) -> None:
        """There is a display again: an icon that waits for its next start is started now."""
        if self.pid is None:
            self._at_once.set()

    def end(self) -> None:
        """End the icon, also one that hangs; while `keep` runs, another one is started."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()


def _ended(failures: int) -> str:
    again_s = AGAIN_AFTER_S[min(failures, len(AGAIN_AFTER_S)) - 1]
    return f"the icon ended {failures} times in a row, each time soon; it is started again after {again_s:g} s" if failures > _FEW else ""
