"""Asks the X server whether it saw input that the hook did not tell of; see `collectors.health`. Wakes nobody on an idle machine.

By the counter IDLETIME, the same number as XScreenSaver's, or, where only keys or only the pointer is hooked, by that of the
master keyboard or pointer. It is a duration: neither which input it was, nor whose.
"""

from typing import Any, Protocol

from collectors.backends.x11_record import BUTTON_PRESS, KEY_PRESS, Came, Range
from collectors.errors import DeafError
from collectors.health import REST_MS, Hearing, Step

POINTER, KEYBOARD, ANY = "DEVICEIDLETIME 2", "DEVICEIDLETIME 3", "IDLETIME"
"""The master devices have these numbers on every X server."""
NO_PROOF = "this X server has no idle time, so a deaf hook would not be noticed"


class Hook(Protocol):
    """What can be made to say something."""

    def echo(self) -> None:
        """Have the X server say something through the hook."""


class HookWatch:
    """One hook, and the server's idle time of what it is to tell of.

    Args:
        display: The connection for asking.
        hook: What is asked about.
        wanted: What it tells of.
        now_ms: The awake clock, now.

    Attributes:
        doubt: Why nothing can be told, for people; empty if it can.
    """

    def __init__(self, display: Any, hook: Hook, wanted: list[Range], now_ms: int) -> None:
        from collectors.backends.x11_sync import idle_counter

        self._hook, self._hearing = hook, Hearing(now_ms)
        self._idle = idle_counter(display, counter_of(wanted))
        if self._idle is not None:
            self._idle.wake_after(REST_MS)
        self.doubt = "" if self._idle is not None else NO_PROOF

    def woken(self, event_type: int, now_ms: int) -> bool:
        """An event of the connection has come; whether it was the server's word that somebody is active again."""
        ours = self._idle is not None and event_type == self._idle.event_type
        if ours:
            self._hearing.woken(now_ms)
        return ours

    def came(self, came: Came, now_ms: int) -> None:
        """What was read from the hook."""
        if came.echoes or came.has_input():
            self._hearing.told(now_ms)

    def due_ms(self) -> int | None:
        """When `turn` has something to do."""
        return self._hearing.due_ms() if self._idle is not None else None

    def turn(self, now_ms: int) -> None:
        """Do what is due, after everything was read from the hook. Raises DeafError."""
        step = self._hearing.step(now_ms)
        if step is None or self._idle is None:
            return
        if step is Step.LOOK:
            step = self._hearing.looked(now_ms, max(0, self._idle.read_ms()))
        if step is Step.ECHO:
            self._hook.echo()
        elif step is Step.DEAF:
            raise DeafError("the hook is deaf: the X server saw input that it did not tell of")


def counter_of(wanted: list[Range]) -> str:
    """The counter of what a hook tells of."""
    firsts = {one.first for one in wanted if not one.delivered}
    return ANY if {KEY_PRESS, BUTTON_PRESS} <= firsts else KEYBOARD if KEY_PRESS in firsts else POINTER
