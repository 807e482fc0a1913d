"""What the indicator looks like and says, from what the daemon told it to show. Pure.

Six looks, told apart by shape; the words carry everything that a shape cannot. The consent code is in none of the words: it is drawn on
the card (`agent/tray/card.py`). Only for somebody whose screen reader is on it also has a line of the menu.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from consent.pause import DEFAULT_MINUTES
from consent.vocabulary import State

TITLE = "Volens"
PAUSE_MINUTES = DEFAULT_MINUTES
_LINE_CHARS = 90
"""A menu line longer than this is wider than a small screen's half."""


class Look(StrEnum):
    """A shape. There is one for each thing that a person must be able to tell at a glance."""

    RECORDING = "recording"
    ELSEWHERE = "elsewhere"
    PAUSED = "paused"
    EXEMPT = "exempt"
    OFF = "off"
    BLOCKED = "blocked"


class Act(StrEnum):
    """What a person can ask for from the indicator."""

    PAUSE = "pause"
    RESUME = "resume"
    WITHDRAW = "withdraw"


CODE_IS_SHOWN = "The consent code stands at the top of the screen"
CODE_IS_NOWHERE = "The consent code cannot be shown: there is no X display"

_HEADLINES = {
    State.UNASKED: "Off: nothing is recorded without your yes",
    State.PAUSED: "Paused",
    State.EXEMPT: "Exempt: nothing is recorded",
    State.WITHDRAWN: "Stopped: you have withdrawn",
    State.BLOCKED: "Blocked: nothing is recorded",
}

_LOOKS = {
    State.UNASKED: Look.OFF,
    State.PAUSED: Look.PAUSED,
    State.EXEMPT: Look.EXEMPT,
    State.WITHDRAWN: Look.OFF,
    State.BLOCKED: Look.BLOCKED,
}

_OFF = (State.UNASKED, State.WITHDRAWN)


@dataclass(frozen=True, slots=True)
class Shown:
    """What the indicator shows.

    Attributes:
        state: The standing; None before the daemon has said anything.
        recorded: True if the window in front is being recorded.
        words: The daemon's one line.
        since: Since when, local time; None before the daemon has said anything.
        now: Local time of this drawing; decides whether `since` needs its date.
        pause_left_s: What is left of a pause at `now`; None if not paused, or until resumed.
        pause_until: When it ends at the earliest, local time; None as above.
        answer: What the daemon said to the last request; empty if nothing.
        code: The consent code; None if there is none.
        carded: Whether the card with the code could be shown.
        read_aloud: Whether the desktop says that a screen reader is on.
    """

    state: State | None = None
    recorded: bool = False
    words: str = ""
    since: datetime | None = None
    now: datetime | None = None
    pause_left_s: int | None = None
    pause_until: datetime | None = None
    answer: str = ""
    code: str | None = field(default=None, repr=False)
    carded: bool = True
    read_aloud: bool = False

    @property
    def look(self) -> Look:
        """The shape for this."""
        if self.state is State.CONSENTED:
            return Look.RECORDING if self.recorded else Look.ELSEWHERE
        return Look.OFF if self.state is None else _LOOKS[self.state]

    @property
    def headline(self) -> str:
        """The state in words, a few of them."""
        if self.state is None:
            return "Starting: nothing is recorded"
        if self.state is State.CONSENTED:
            return "Recording this window" if self.recorded else "On, but this window is not recorded"
        return _HEADLINES[self.state]

    @property
    def can(self) -> frozenset[Act]:
        """What there is to ask for now. Withdrawing is possible whenever there is anything to withdraw."""
        if self.state is None or self.state in _OFF:
            return frozenset()
        return frozenset(Act) if self.state is State.PAUSED else frozenset({Act.PAUSE, Act.WITHDRAW})


def state_line(shown: Shown, *, counting: bool) -> str:
    """The first line: headline, pause, since when. `counting`: minutes left, for what is read now; else a time that does not age."""
    parts = [shown.headline]
    if shown.state is State.PAUSED:
        parts.append(_pause_words(shown, counting=counting))
    if shown.since is not None and shown.now is not None:
        parts.append(f"since {_clock_words(shown.since, shown.now)}")
    return " · ".join(parts)


def detail_line(shown: Shown) -> str:
    """The daemon's words, unless they only repeat the headline; empty if so."""
    words = one_line(shown.words)
    return "" if words.casefold().rstrip(".") == shown.headline.casefold() else words


def code_line(shown: Shown) -> str:
    """Where the consent code is; the code itself, in groups of three digits, for a screen reader alone. Empty if there is none."""
    if shown.code is None:
        return ""
    if not shown.read_aloud:
        return CODE_IS_SHOWN if shown.carded else CODE_IS_NOWHERE
    code = shown.code.strip()
    groups = [code[start : start + 3] for start in range(0, len(code), 3)] if code.isdigit() else [code]
    return f"Consent code: {' '.join(groups)}"


def plain_lines(shown: Shown) -> tuple[str, ...]:
    """What may be shown anywhere: everything but the code, with times that do not age."""
    lines = (state_line(shown, counting=False), detail_line(shown), one_line(shown.answer))
    return tuple(line for line in lines if line)


def one_line(words: str) -> str:
    """The words without line breaks and control characters, cut to a line."""
    line = " ".join("".join(char if char.isprintable() else " " for char in words).split())
    return line if len(line) <= _LINE_CHARS else line[: _LINE_CHARS - 1] + "…"


def _pause_words(shown: Shown, *, counting: bool) -> str:
    if shown.pause_left_s is None:
        return "until you resume"
    if counting or shown.pause_until is None or shown.now is None:
        minutes = -(-shown.pause_left_s // 60)
        return f"{minutes} min left"
    return f"until {_clock_words(shown.pause_until, shown.now)} at the earliest"


def _clock_words(when: datetime, now: datetime) -> str:
    return when.strftime("%H:%M") if when.date() == now.date() else when.strftime("%Y-%m-%d %H:%M")
