"""What the ledger's entries add up to: the subject's state by their own words, the receipt in force, the pause. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from types import MappingProxyType
from typing import Protocol

from consent import exemption
from consent.event import Clocks
from consent.exemption import Exemptions
from consent.holding import UNCHOSEN, Holding
from consent.hours import NO_HOURS, Hours, HoursError, parse
from consent.pause import Pause
from consent.standing import Happening, after
from consent.vocabulary import State

PURGED = "purged"
"""The entry that says that a withdrawal's purge is complete. A withdrawal without it is purged again at start."""
HOLD_CHOSEN = "hold_chosen"
"""The entry that says how long the person wants things held: `seconds`, and `before_s`, what was in force till then."""
HOURS_CHOSEN = "hours_chosen"
"""The entry that says in which hours the person is willing to be recorded: `hours`, or null for those of the yes."""
NOTICE_ACKNOWLEDGED = "notice_acknowledged"
"""The entry that says that a notice was read, which is no yes: `notice` (its SHA-256, hex), `language`, and `day`, the day here."""


UNPLUGGED_CHOSEN = "unplugged_chosen"
"""The entry that says whether the person is exempt while no charger is plugged in: `exempt`."""
LINK_UNKNOWN_CHOSEN = "link_unknown_chosen"
"""The entry that says how a link counts of which nothing tells whether it is metered: `exempt`, or not."""

NEVER = Clocks(0, 0, 0)


class Line(Protocol):
    """What is read of a ledger entry."""

    @property
    def what(self) -> str: ...
    @property
    def at(self) -> Clocks: ...
    @property
    def boot(self) -> str: ...
    @property
    def data(self) -> dict[str, object]: ...


@dataclass(frozen=True, slots=True)
class Choice:
    """What the subject's own words amount to.

    Attributes:
        state: Never BLOCKED: that is a fact about the machine.
        since: When the state was last changed.
        receipt: The signed receipt in force, as JSON text; None without a consent.
        pause: The pause, while paused.
        consents: How many times a consent was begun; the n of the epoch identity.
        purge_owed: A withdrawal whose purge was not recorded as complete.
        holding: How long things are held, by the person's own words.
        hours: Narrower hours than those of the yes, by the person's own words; None: those of the yes.
        acknowledged: The notices (SHA-256, hex) that were acknowledged since the last withdrawal.
        noticed: The day on which a notice was acknowledged last.
        unplugged: Whether the person is exempt while no charger is plugged in.
        link_unknown: Whether the person is exempt while nothing tells whether the link is metered; None: they have not said.
        exemptions: What the person asked to be exempt from and did not cancel. No withdrawal and no yes touches it.
    """

    state: State = State.UNASKED
    since: Clocks = NEVER
    receipt: str | None = None
    pause: Pause | None = None
    consents: int = 0
    purge_owed: bool = False
    holding: Holding = UNCHOSEN
    hours: Hours | None = None
    acknowledged: frozenset[str] = frozenset()
    noticed: date | None = None
    unplugged: bool = False
    link_unknown: bool | None = None
    exemptions: Exemptions = ()


def _happened(choice: Choice, line: Line, happening: Happening) -> Choice:
    state = after(choice.state, happening)
    new = replace(choice, state=state, since=choice.since if state is choice.state else line.at)
    if happening is Happening.CONSENT_GIVEN:
        begun = choice.consents + (choice.state in (State.UNASKED, State.WITHDRAWN))
        holding = choice.holding.agree(_seconds(line, "before_s"), line.at, line.boot)
        return replace(new, receipt=str(line.data["receipt"]), consents=begun, holding=holding)
    if happening is Happening.PAUSE_ASKED:
        minutes = line.data["minutes"]
        return replace(new, pause=Pause(minutes if isinstance(minutes, int) else None, line.at, line.boot))
    if happening is Happening.RESUME_ASKED:
        return replace(new, pause=None)
    if happening is Happening.WITHDRAWN:
        return replace(new, receipt=None, pause=None, purge_owed=True, acknowledged=frozenset())
    return new


def _acknowledged(choice: Choice, line: Line) -> Choice:
    return replace(choice, acknowledged=choice.acknowledged | {str(line.data["notice"])}, noticed=_day(line))


def _day(line: Line) -> date | None:
    try:
        return date.fromisoformat(str(line.data.get("day")))
    except ValueError:
        return None


def _seconds(line: Line, name: str) -> int:
    found = line.data.get(name)
    return found if isinstance(found, int) else 0


def _hours(line: Line) -> Hours | None:
    """What was chosen; hours that do not read hold at no time."""
    text = line.data.get("hours")
    try:
        return parse(str(text)) if text is not None else None
    except HoursError:
        return NO_HOURS


def _held_for(choice: Choice, line: Line) -> Choice:
    return replace(choice, holding=choice.holding.choose(_seconds(line, "seconds"), _seconds(line, "before_s"), line.at, line.boot))


_CHOICES: Mapping[str, Callable[[Choice, Line], Choice]] = MappingProxyType(
    {
        PURGED: lambda choice, _: replace(choice, purge_owed=False),
        HOLD_CHOSEN: _held_for,
        HOURS_CHOSEN: lambda choice, line: replace(choice, hours=_hours(line)),
        UNPLUGGED_CHOSEN: lambda choice, line: replace(choice, unplugged=line.data.get("exempt") is not False),
        LINK_UNKNOWN_CHOSEN: lambda choice, line: replace(choice, link_unknown=line.data.get("exempt") is not False),
        NOTICE_ACKNOWLEDGED: _acknowledged,
        **{happening.value: partial(_happened, happening=happening) for happening in Happening},
    }
)


def add(choice: Choice, line: Line) -> Choice:
    """The choice after one more entry. Entries that are no choice (uploads, forgettings) change nothing here."""
    if line.what in _CHOICES:
        return _CHOICES[line.what](choice, line)
    exemptions = exemption.add(choice.exemptions, line.what, line.data, line.at.wall_ms)
    return choice if exemptions is choice.exemptions else replace(choice, exemptions=exemptions)


def fold(lines: Iterable[Line]) -> Choice:
    """The choice after all entries. Raises StandingError if they tell what cannot happen."""
    choice = Choice()
    for line in lines:
        choice = add(choice, line)
    return choice
