"""The budget: what recording may cost this machine, and how much of it is left. Facts come in, a level and its causes come out. Pure.

Over budget means less, then hold only, then nothing. Each level takes away what the one before it takes, and none gives anything: what
may be observed and sent at all is decided elsewhere. A fact that is not known is no cause; where that is not good enough for somebody
they say so (`volens exempt unknown-link`), and then it is one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from consent.scope import Scope
from consent.vocabulary import AUTOMATIC_WORDS, Automatic, Kind
from transport.allowance import UNUSED, Used

LOW_PERCENT, LOW_ENDS_PERCENT = 20.0, 25.0
"""Below a fifth, where desktops begin to warn, nothing is recorded. It ends five points higher: a battery's number wavers by one or two."""
GOING_PERCENT, GOING_ENDS_PERCENT = 40.0, 45.0
"""Below two fifths there is less."""
NEARLY = 0.8
"""Of a day's or a month's bytes: from here on the costly kinds stay off, so that the rest is left to what costs next to nothing."""
CPU_PERCENT, CPU_ENDS_PERCENT = 5.0, 3.0
"""Of one core, all our processes together, as a mean of `effort.WINDOW_S`. The bench's bar for steady work is 0.8 (1.0 s in 125 s):
six times that is no work of ours, and less than anybody feels. A thread that spins takes a hundred."""
CPU_REST_PERCENT = 2 * CPU_PERCENT
"""Above it less is not enough: nothing is observed for a while."""


class Level(StrEnum):
    """How much of what was agreed to happens, from everything to nothing."""

    FULL = "full"
    LESS = "less"  # the costly kinds are off
    HOLD_ONLY = "hold_only"  # besides, nothing is sealed or sent: what is recorded stays in the hold
    NOTHING = "nothing"

    def reaches(self, other: "Level") -> bool:
        """Whether this takes away at least as much as the other."""
        return _ORDER.index(self) >= _ORDER.index(other)


_ORDER = tuple(Level)


class Cause(StrEnum):
    """Why a level is not FULL. Those that exempt have the word of their exemption (`consent.vocabulary.Automatic`)."""

    BATTERY_GOING = "battery_going"
    BATTERY_LOW = "battery_low"
    UNPLUGGED = "unplugged"
    METERED_LINK = "metered_link"
    LINK_UNKNOWN = "link_unknown"
    DAY_NEARLY_SPENT = "day_nearly_spent"
    DAY_SPENT = "day_spent"
    MONTH_NEARLY_SPENT = "month_nearly_spent"
    MONTH_SPENT = "month_spent"
    PROCESSOR_BUSY = "processor_busy"
    RESTING = "resting"


LEVELS: Mapping[Cause, Level] = MappingProxyType(
    {
        Cause.BATTERY_GOING: Level.LESS,
        Cause.BATTERY_LOW: Level.NOTHING,
        Cause.UNPLUGGED: Level.NOTHING,
        Cause.METERED_LINK: Level.NOTHING,
        Cause.LINK_UNKNOWN: Level.NOTHING,
        Cause.DAY_NEARLY_SPENT: Level.LESS,
        Cause.DAY_SPENT: Level.HOLD_ONLY,
        Cause.MONTH_NEARLY_SPENT: Level.LESS,
        Cause.MONTH_SPENT: Level.HOLD_ONLY,
        Cause.PROCESSOR_BUSY: Level.LESS,
        Cause.RESTING: Level.NOTHING,
    }
)

LEVEL_WORDS: Mapping[Level, str] = MappingProxyType(
    {
        Level.FULL: "as agreed",
        Level.LESS: "less is recorded",
        Level.HOLD_ONLY: "less is recorded, and nothing is sent",
        Level.NOTHING: "nothing is recorded or sent",
    }
)

CAUSE_WORDS: Mapping[Cause, str] = MappingProxyType(
    {
        Cause.BATTERY_GOING: f"the battery is below {GOING_PERCENT:.0f} %",
        **{Cause(ground.value): AUTOMATIC_WORDS[ground] for ground in Automatic if ground.value in set(Cause)},
        Cause.DAY_NEARLY_SPENT: "most of what may be sent today is sent",
        Cause.DAY_SPENT: "what may be sent today is sent",
        Cause.MONTH_NEARLY_SPENT: "most of what may be sent this month is sent",
        Cause.MONTH_SPENT: "what may be sent this month is sent",
        Cause.PROCESSOR_BUSY: "Volens itself takes too much of the processor",
        Cause.RESTING: "Volens itself took far too much of the computer, and rests",
    }
)
"""Each for people, to be read behind "because"."""

COSTLY = frozenset({Kind.POINTER_PATH})
"""The kinds that cost most, in bytes and in work: off as soon as there is less."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a level depends on. Each fact has its own causes: parts of them may be judged where they are known.

    Attributes:
        told: Causes that were judged before: by a source on the bus, or because an exemption holds.
        battery_percent: How full it is; None: not known, or there is none.
        discharging: Whether it loses charge, or may; None: not known.
        used: Bytes that left today and this month.
        cpu_percent: Of one core, the mean of the last minutes; None: not measured.
    """

    told: frozenset[Cause] = frozenset()
    battery_percent: float | None = None
    discharging: bool | None = None
    used: Used = UNUSED
    cpu_percent: float | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """A level, and why; empty for FULL."""

    level: Level = Level.FULL
    why: tuple[Cause, ...] = ()

    @property
    def words(self) -> str:
        """One sentence for people; empty where everything is as agreed, or where an exemption or a blocker says it already."""
        if self.level not in (Level.LESS, Level.HOLD_ONLY):
            return ""
        return f"{LEVEL_WORDS[self.level].capitalize()}, because {' and '.join(CAUSE_WORDS[cause] for cause in self.why)}."

    @property
    def because(self) -> str:
        """Why it is this level and no better one, for people; empty for FULL."""
        return " and ".join(CAUSE_WORDS[cause] for cause in self.why if LEVELS[cause] is self.level)

    @property
    def keeps(self) -> str | None:
        """Why nothing is sealed or sent, as `what; when it goes on`; None if this level lets it."""
        if not self.level.reaches(Level.HOLD_ONLY):
            return None
        if Cause.MONTH_SPENT in self.why:
            return f"{CAUSE_WORDS[Cause.MONTH_SPENT]}; it goes on next month (UTC)"
        if Cause.DAY_SPENT in self.why:
            return f"{CAUSE_WORDS[Cause.DAY_SPENT]}; it goes on tomorrow (UTC)"
        return " and ".join(CAUSE_WORDS[cause] for cause in self.why if LEVELS[cause].reaches(Level.HOLD_ONLY))


FULL = Judged()


def judge(facts: Facts, before: Iterable[Cause] = ()) -> Judged:
    """The level now. `before`: the causes of the last judgement; what wavers about a limit needs to come back further than it."""
    held = frozenset(before)
    why = (
        facts.told | battery(facts.battery_percent, discharging=facts.discharging, before=held) | _bytes(facts.used) | _effort(facts, held)
    )
    return Judged(max((LEVELS[cause] for cause in why), key=_ORDER.index, default=Level.FULL), tuple(sorted(why)))


class Budget:
    """What is known of one machine's budget, and what it came to last.

    Attributes:
        sparing: Causes that the machine's own sources tell of.
        cpu_percent: Of one core, what all our processes took in the last minutes; None: not measured.
        judged: The last judgement.
    """

    def __init__(self) -> None:
        self.sparing: frozenset[Cause] = frozenset()
        self.cpu_percent: float | None = None
        self.judged = FULL

    def judge(self, automatic: Iterable[Automatic], used: Used, *, resting: bool) -> Judged:
        """What is left now. `automatic`: the exemptions that hold; those that are the budget's are causes of it."""
        exempting = {ground.value for ground in automatic}
        told = self.sparing | {cause for cause in Cause if cause.value in exempting or (resting and cause is Cause.RESTING)}
        self.judged = judge(Facts(told, used=used, cpu_percent=self.cpu_percent), self.judged.why)
        return self.judged


def battery(percent: float | None, *, discharging: bool | None, before: frozenset[Cause]) -> frozenset[Cause]:
    """What a battery amounts to. One that charges, or is not there, is full enough; a number that is none counts as empty."""
    if percent is None or discharging is not True:
        return frozenset()
    low = not percent >= (LOW_ENDS_PERCENT if Cause.BATTERY_LOW in before else LOW_PERCENT)
    going = low or not percent >= (GOING_ENDS_PERCENT if Cause.BATTERY_GOING in before else GOING_PERCENT)
    return frozenset(cause for cause, holds in ((Cause.BATTERY_LOW, low), (Cause.BATTERY_GOING, going)) if holds)


def _bytes(used: Used) -> frozenset[Cause]:
    day, month, most = used.day_bytes, used.month_bytes, used.limits
    found = {
        Cause.DAY_NEARLY_SPENT: NEARLY * most.day_bytes <= day < most.day_bytes,
        Cause.DAY_SPENT: day >= most.day_bytes,
        Cause.MONTH_NEARLY_SPENT: NEARLY * most.month_bytes <= month < most.month_bytes,
        Cause.MONTH_SPENT: month >= most.month_bytes,
    }
    return frozenset(cause for cause, holds in found.items() if holds)


def _effort(facts: Facts, before: frozenset[Cause]) -> frozenset[Cause]:
    most = CPU_ENDS_PERCENT if Cause.PROCESSOR_BUSY in before else CPU_PERCENT
    return frozenset({Cause.PROCESSOR_BUSY} if facts.cpu_percent is not None and facts.cpu_percent > most else ())


def left(scope: Scope, level: Level) -> Scope:
    """What of a scope is observed at this level."""
    if not level.reaches(Level.LESS):
        return scope
    return Scope(MappingProxyType({pair: purpose for pair, purpose in scope.grants.items() if pair[1] not in COSTLY}))
