"""A machine whose clocks stand still until somebody moves them, and an event loop that lives by them."""

import asyncio
from dataclasses import dataclass
from typing import Any

from consent.event import Clocks

_MOST_TURNS = 10_000


@dataclass
class Time:
    """The three clocks, in milliseconds, and the name of this start of the machine. Each moves alone."""

    awake_ms: int = 3_600_000
    boot_ms: int = 3_600_000
    wall_ms: int = 1_800_000_000_000
    boots: int = 1

    @property
    def boot(self) -> str:
        return f"start-{self.boots}"

    def read(self) -> Clocks:
        return Clocks(self.awake_ms, self.boot_ms, self.wall_ms)

    def pass_ms(self, milliseconds: int) -> None:
        self.awake_ms += milliseconds
        self.boot_ms += milliseconds
        self.wall_ms += milliseconds

    def start_again(self, off_ms: int) -> None:
        """The machine was off for so long; its clocks since boot begin anew."""
        self.boots += 1
        self.awake_ms = self.boot_ms = 10_000
        self.wall_ms += off_ms


class Loop(asyncio.SelectorEventLoop):
    """The daemon's loop on that machine. `faults` are errors that nobody expected."""

    def __init__(self, time: Time) -> None:
        self._machine = time
        self.faults: list[BaseException] = []
        super().__init__()
        self.set_exception_handler(self._heard_fault)

    def time(self) -> float:
        return self._machine.awake_ms / 1000

    def settle(self) -> None:
        """Do all that is to be done at this instant."""
        for _ in range(_MOST_TURNS):
            self.call_soon(self.stop)
            self.run_forever()
            due = bool(self._scheduled) and self._scheduled[0]._when <= self.time()
            if not self._ready and not due:
                return
        raise AssertionError("the daemon never comes to rest")

    def end(self) -> None:
        """The process is gone: nothing of it runs on."""
        for task in asyncio.all_tasks(self):
            task.cancel()
        self.call_soon(self.stop)
        self.run_forever()
        self.close()

    def _heard_fault(self, _: Any, context: dict[str, Any]) -> None:
        if isinstance(error := context.get("exception"), BaseException):
            self.faults.append(error)
