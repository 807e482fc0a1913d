"""Who speaks with the daemon here: a person at a command line, and an icon that says what it shows, promptly, late or falsely."""

from collections.abc import Callable
from dataclasses import dataclass

from agent import messages
from consent.vocabulary import State

ICON_PID = 77


class Voice:
    """One connection of one command; `told` is called with each answer, at the instant of its saying."""

    pid, slow = 1, False

    def __init__(self, told: Callable[[messages.Answer], None]) -> None:
        self.said = told
        self.heard: list[messages.Answer] = []

    def say(self, answer: messages.Answer) -> None:
        self.heard.append(answer)
        self.said(answer)

    def close(self) -> None:
        """Nobody is hung up on here."""

    async def drain(self) -> None:
        """Takes everything at once."""


@dataclass(frozen=True)
class Answered:
    """One challenge that this icon answered honestly: when it was asked and answered, in the order of all that happens."""

    asked: int
    answered: int
    asked_awake_ms: int
    answered_awake_ms: int
    showing: State


class Icon:
    """One run of the icon, on one connection.

    Attributes:
        alive: Its process runs.
        attached: The daemon has not hung up.
        showing: What a person sees; None before it was told anything.
        code: What a person reads there.
        asked: Challenges that it has not answered yet: nonce, when it was asked (in order, and on the awake clock), what was shown then.
    """

    pid, slow = ICON_PID, False

    def __init__(self, name: str, tick: Callable[[], int], awake_ms: Callable[[], int], spoken: Callable[["Icon"], None]) -> None:
        self.name, self._tick, self._awake_ms, self._spoken = name, tick, awake_ms, spoken
        self.alive = self.attached = True
        self.showing: State | None = None
        self.code: str | None = None
        self.asked: list[tuple[bytes, int, int, State | None]] = []
        self.answers: list[Answered] = []

    def say(self, answer: messages.Answer) -> None:
        match answer:
            case messages.Appear(state):
                self.showing, self.code = state, answer.code
            case messages.Challenge(nonce):
                self.asked.append((nonce, self._tick(), self._awake_ms(), self.showing))
                self._spoken(self)
            case messages.Replaced():
                self.attached = False

    def close(self) -> None:
        self.attached = False

    def next_answer(self) -> messages.Proven | None:
        """The honest answer to the oldest challenge; None if there is none to give."""
        if not self.asked or not self.alive or self.asked[0][3] is None:
            return None
        nonce, asked, asked_awake_ms, showing = self.asked.pop(0)
        assert showing is not None
        self.answers.append(Answered(asked, self._tick(), asked_awake_ms, self._awake_ms(), showing))
        return messages.Proven(nonce, self.name, True, showing)
