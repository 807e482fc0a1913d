"""Whether the hook on input is alive: what the X server says it saw, held against what the hook told of. Pure.

Nothing is asked without a reason, so that an idle machine sleeps. The reasons: the hook has fallen silent (asked once), and
the server's word that somebody is active again after a rest (its alarm). If the server saw input that the hook did not tell
of, it is made to say something through the hook: an echo. Only a missing echo is deafness. The difference alone is none: a film
that keeps the screen awake counts as input to the server, and so does a touch, which no RECORD hook is told of.
"""

from enum import Enum, auto

REST_MS = 1_500
"""After so long without input the server's alarm is armed: the next input sets it off."""
LOOK_MS = 2_000
"""How long after the last input that the hook told of the server is asked; longer than REST_MS, so that nothing lies between."""
GRACE_MS = 500
"""How long after the server's alarm the hook may still tell of what set it off."""
ECHO_MS = 2_000
"""How long an echo may take (measured: 1 ms; a busy machine: more). With LOOK_MS a deaf hook is known after 4 s."""


class Step(Enum):
    """What is to be done now."""

    LOOK = auto()  # ask the server for its idle time, then `looked`
    ECHO = auto()  # have the server say something through the hook; its arrival is `told`
    DEAF = auto()  # the hook does not hear


class Hearing:
    """One hook, from its installation on. All times are milliseconds of the awake clock.

    Args:
        now_ms: When it was installed: what was before, it need not have told of.
    """

    def __init__(self, now_ms: int) -> None:
        self._told_ms = now_ms
        self._due_ms: int | None = now_ms + LOOK_MS
        self._echo = False

    def told(self, now_ms: int) -> None:
        """The hook has told of input, or the echo came through it; whatever doubt there was is over."""
        self._told_ms, self._due_ms, self._echo = now_ms, now_ms + LOOK_MS, False

    def woken(self, now_ms: int) -> None:
        """The server has said that somebody is active again."""
        if not self._echo:
            self._due_ms = now_ms + GRACE_MS if self._due_ms is None else min(self._due_ms, now_ms + GRACE_MS)

    def looked(self, now_ms: int, idle_ms: int) -> Step | None:
        """The server's idle time, as asked for at `now_ms` or a moment later: an echo is wanted, or nothing."""
        if now_ms - idle_ms > self._told_ms:
            self._echo, self._due_ms = True, now_ms + ECHO_MS
            return Step.ECHO
        self._due_ms = None if idle_ms >= LOOK_MS else now_ms + LOOK_MS - idle_ms
        return None

    def due_ms(self) -> int | None:
        """When `step` has something to say; None: not before something happens."""
        return self._due_ms

    def step(self, now_ms: int) -> Step | None:
        """What is to be done now, after everything that has come through the hook was taken."""
        if self._due_ms is None or now_ms < self._due_ms:
            return None
        return Step.DEAF if self._echo else Step.LOOK
