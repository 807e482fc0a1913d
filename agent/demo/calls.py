"""Runs the installed commands as a person would, each in a process of its own, and keeps what they said for the search.

Refuses to go on after a command that failed: what it said on stderr becomes the demo's one line.
"""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from agent.demo.errors import DemoError

LONGEST_S = 60.0
"""No single command may take longer; opening a few batches takes two seconds on a slow machine."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a command said.

    Attributes:
        code: Its exit code.
        out: Its stdout.
        err: Its stderr.
    """

    code: int
    out: str
    err: str


def argv(package: str, arguments: Sequence[str]) -> list[str]:
    """How one of our commands is started: isolated, through the check of whose packages these are."""
    return [sys.executable, "-I", "-m", "agent.home", package, *arguments]


@dataclass(slots=True)
class Calls:
    """Commands in one environment.

    Attributes:
        env: Their environment.
        outputs: Everything that they have said.
    """

    env: Mapping[str, str]
    outputs: list[bytes] = field(default_factory=list)

    def ask(self, package: str, *arguments: str) -> Said:
        """Run a command and return what it said, whatever its exit code."""
        try:
            done = subprocess.run(argv(package, arguments), env=dict(self.env), capture_output=True, timeout=LONGEST_S, check=False)  # noqa: S603
        except subprocess.TimeoutExpired:
            raise DemoError(f"{package} {arguments[0]} took longer than {LONGEST_S:.0f} s", "try again on a less busy machine") from None
        self.outputs += [done.stdout, done.stderr]
        return Said(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))

    def do(self, package: str, *arguments: str) -> str:
        """Run a command that must succeed; returns its stdout.

        Raises:
            DemoError: It did not.
        """
        said = self.ask(package, *arguments)
        if said.code != 0:
            last = (said.err.strip().splitlines() or ["it said nothing"])[-1]
            raise DemoError(f"the command {package} {arguments[0]} failed ({said.code}): {last}", "report this")
        return said.out
