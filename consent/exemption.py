"""Exemptions that a person asks for: on which ground, what each covers, how far it has come. Refuses to open anything. Pure.

What an exemption covers is off from the asking on: while nobody has decided, when it is granted, when it is denied, and when its time
is over. Only its own person ends it, by cancelling it. So a decision changes what is shown, never what is recorded (INV-15), and what
cannot be read covers more rather than less.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

from consent.hours import ALWAYS, Hours, HoursError, parse
from consent.scope import Scope
from consent.vocabulary import Kind, SurfaceId

ASKED, DECIDED, CANCELLED = "exemption_asked", "exemption_decided", "exemption_cancelled"
"""The entries of the ledger. None of them holds the reason that a person gave."""
MAX_IN_FORCE = 100
"""Nobody reads a list of more; one that covers everything is better then."""


class Ground(StrEnum):
    """Why a person wants to be exempt."""

    LIMITED_BANDWIDTH = "limited_bandwidth"
    SENSITIVE_WORK = "sensitive_work"
    POWER = "power"
    OTHER = "other"
    MY_CHOICE = "my_choice"
    """Nobody reviews it and nobody is told; it needs no reason and no end."""


GROUND_WORDS: Mapping[Ground, str] = MappingProxyType(
    {
        Ground.LIMITED_BANDWIDTH: "limited bandwidth",
        Ground.SENSITIVE_WORK: "sensitive work",
        Ground.POWER: "power",
        Ground.OTHER: "another ground",
        Ground.MY_CHOICE: "your choice",
    }
)
"""Each for people, to be read behind "you asked for it:"."""


class Stage(StrEnum):
    """How far an exemption has come. It is in force at every stage."""

    PENDING = "pending"
    GRANTED = "granted"
    DENIED = "denied"
    ENDED = "ended"
    """Its time is over. Nothing starts by that; its person cancels it if they want to."""


STAGE_WORDS: Mapping[Stage, str] = MappingProxyType(
    {
        Stage.PENDING: "nobody has decided yet; it is off meanwhile",
        Stage.GRANTED: "in force",
        Stage.DENIED: "denied; it stays off until you cancel the exemption",
        Stage.ENDED: "its time is over; it stays off until you cancel the exemption",
    }
)


@dataclass(frozen=True, slots=True)
class Covers:
    """What is off: on these surfaces, of these kinds, in these hours. Empty sets stand for all of them."""

    surfaces: frozenset[SurfaceId] = frozenset()
    kinds: frozenset[Kind] = frozenset()
    hours: Hours = ALWAYS

    @property
    def everything(self) -> bool:
        """Whether nothing is left in its hours."""
        return not self.surfaces and not self.kinds

    def takes(self, surface: SurfaceId | None, kind: Kind) -> bool:
        """Whether this kind on this surface is off in its hours. What is of no surface is on none that is named."""
        return (not self.surfaces or surface in self.surfaces) and (not self.kinds or kind in self.kinds)

    def may_hold(self, instants_ms: Iterable[int]) -> bool:
        """Whether one of these instants could lie in its hours; without any instant it does."""
        every = tuple(instants_ms)
        return self.hours.always or not every or any(self.hours.may_hold(each) for each in every)

    def text(self) -> str:
        """For people: `everything`, `editor, terminal: key_chord, mon-fri 09:00-12:00 Europe/Berlin`."""
        where = ", ".join(sorted(self.surfaces)) or ("every app" if self.kinds else "everything")
        what = f": {', '.join(sorted(self.kinds))}" if self.kinds else ""
        return f"{where}{what}" + ("" if self.hours.always else f", {self.hours.text()}")


@dataclass(frozen=True, slots=True)
class Exemption:
    """One exemption of a person, in force until they cancel it.

    Attributes:
        id: 64 hexadecimal digits, random. Who has it can ask the receiver for the decision.
        asked_ms: When, milliseconds since 1970, UTC.
        until_ms: What the person asked for; None for no end.
        appeal: The id of the exemption whose denial this appeals against.
        granted: What the reviewer decided; None while they have not.
        decided_until_ms: The end that the reviewer set, if they set one.
        reason: The reviewer's, for the person. Not the person's own.
    """

    id: str
    ground: Ground
    covers: Covers
    asked_ms: int = 0
    until_ms: int | None = None
    appeal: str | None = None
    granted: bool | None = None
    decided_until_ms: int | None = None
    reason: str = ""

    def stage(self, instants_ms: Iterable[int]) -> Stage:
        """How far it has come, by the latest of these clocks."""
        if self.granted is False:
            return Stage.DENIED
        ends = [end for end in (self.until_ms, self.decided_until_ms) if end is not None]
        if ends and max(instants_ms, default=0) >= min(ends):
            return Stage.ENDED
        return Stage.GRANTED if self.granted or self.ground is Ground.MY_CHOICE else Stage.PENDING


Exemptions = tuple[Exemption, ...]


def asked(exemption: Exemption) -> dict[str, object]:
    """What the ledger keeps of a request."""
    covers = exemption.covers
    return {
        "id": exemption.id,
        "ground": exemption.ground.value,
        "surfaces": sorted(covers.surfaces),
        "kinds": sorted(covers.kinds),
        "hours": covers.hours.text(),
        "until_ms": exemption.until_ms,
        "appeal": exemption.appeal,
    }


def add(exemptions: Exemptions, what: str, data: Mapping[str, object], at_ms: int) -> Exemptions:
    """The exemptions in force after one more entry of the ledger, which was written at this wall time. Only CANCELLED takes one away."""
    known = str(data.get("id", ""))
    if what == CANCELLED:
        return tuple(each for each in exemptions if each.id != known)
    if what == DECIDED:
        return tuple(_decided(each, data) if each.id == known else each for each in exemptions)
    if what == ASKED and known not in {each.id for each in exemptions}:
        return (*exemptions, _read(known, data, at_ms))
    return exemptions


def _read(known: str, data: Mapping[str, object], at_ms: int) -> Exemption:
    ground, appeal = data.get("ground"), data.get("appeal")
    return Exemption(
        known,
        Ground(str(ground)) if ground in set(Ground) else Ground.OTHER,
        Covers(
            frozenset(SurfaceId(each) for each in _names(data.get("surfaces"))),
            frozenset(Kind(each) for each in _names(data.get("kinds")) if each in set(Kind)),
            _hours(data.get("hours")),
        ),
        at_ms,
        _instant(data.get("until_ms")),
        str(appeal) if appeal else None,
    )


def _decided(exemption: Exemption, data: Mapping[str, object]) -> Exemption:
    until_ms, reason = _instant(data.get("until_ms")), str(data.get("reason", ""))
    return replace(exemption, granted=data.get("granted") is True, decided_until_ms=until_ms, reason=reason)


def _names(found: object) -> list[str]:
    return [each for each in found if isinstance(each, str)] if isinstance(found, list | tuple) else []


def _hours(found: object) -> Hours:
    try:
        return parse(str(found))
    except HoursError:
        return ALWAYS


def _instant(found: object) -> int | None:
    return found if isinstance(found, int) else None


def minus(scope: Scope, exemptions: Iterable[Covers]) -> Scope:
    """What is left of a scope."""
    every = tuple(exemptions)
    left = {pair: purpose for pair, purpose in scope.grants.items() if not any(covers.takes(*pair) for covers in every)}
    return Scope(MappingProxyType(left))


def grounds(exemptions: Iterable[Exemption]) -> tuple[Ground, ...]:
    """The grounds of these, each once."""
    return tuple(sorted({each.ground for each in exemptions}))


def words(every: Iterable[Ground]) -> str:
    """Why somebody is exempt who asked for it, for people."""
    return f"you asked for it ({', '.join(GROUND_WORDS[each] for each in every)})"
