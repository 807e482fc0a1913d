"""Proof: what the indicator has answered. No timer keeps it alive; only one unbroken connection and its answers do. Pure.

Something is kept only if the same indicator instance, on the same connection, showed the right thing before it was
captured and answered again to a challenge issued after. A broken connection, a wrong nonce, another instance, an answer
that says "not visible" or shows another state, or silence for a second: the proof is void, and so is the generation.
"""

from dataclasses import dataclass, replace

from consent.vocabulary import State

ANSWER_WITHIN_MS = 1000
"""An idle indicator answers in 2 ms; a second covers a busy machine and is still less than a person takes to notice."""


@dataclass(frozen=True, slots=True)
class Challenged:
    """A question that waits for its answer."""

    nonce: bytes
    asked_awake_ms: int


@dataclass(frozen=True, slots=True)
class Proof:
    """What one connection of one indicator has proven.

    Attributes:
        instance: The indicator's own random name; None if none is attached.
        form: tray or badge.
        showing: The state it last proved to show visibly; None before its first answer.
        open: The challenges without an answer yet, oldest first.
        change: The challenge of the last change of what it has to show; until it is answered, `showing` is of before.
    """

    instance: str | None = None
    form: str | None = None
    showing: State | None = None
    open: tuple[Challenged, ...] = ()
    change: bytes | None = None

    def shows(self, state: State) -> bool:
        """Whether it has proven to show this state, and was told to show nothing else since."""
        return self.live and self.showing is state and self.change not in [challenged.nonce for challenged in self.open]

    @property
    def live(self) -> bool:
        """Whether this indicator has proven to be seen."""
        return self.instance is not None and self.showing is not None

    def challenge(self, nonce: bytes, awake_ms: int) -> "Proof":
        """The proof with one more open challenge."""
        return replace(self, open=(*self.open, Challenged(nonce, awake_ms)))

    def changed(self, nonce: bytes) -> "Proof":
        """The proof when this challenge, just issued, is of a change of what is to be shown."""
        return replace(self, change=nonce)

    def overdue(self, awake_ms: int) -> bool:
        """Whether a challenge has waited too long."""
        return bool(self.open) and awake_ms - self.open[0].asked_awake_ms > ANSWER_WITHIN_MS

    def answer(self, *, nonce: bytes, instance: str, visible: bool, showing: State, awake_ms: int) -> "Proof":
        """The proof after an answer; NONE if the answer proves the contrary. Answers come in the order of the questions."""
        asked = self.open[0] if self.open else None
        late = self.overdue(awake_ms)
        if asked is None or asked.nonce != nonce or instance != self.instance or not visible or late:
            return NONE
        return replace(self, showing=showing, open=self.open[1:])


NONE = Proof()
"""No indicator: where every connection starts, and ends."""
