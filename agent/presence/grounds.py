"""What the sources say amounts to: which automatic exemptions hold, and of which nothing here can tell. Pure.

A ground holds while any source says so. A source that goes away while it said so is believed until it tells again: its death
opens nothing. Until each place where sources are has answered once, or is known not to be there, nothing is open either.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from agent.budget import Cause
from agent.words import NO_LOCKS
from consent.vocabulary import Automatic

Ground = Automatic | Cause
"""What exempts, or (a cause of the budget) leaves less."""
Said = Mapping[Ground, bool | None]
"""What a source says: this ground holds, does not, or (None) it cannot say. Of grounds that it leaves out, what it said before stands."""


@dataclass(frozen=True, slots=True)
class Grounds:
    """What is told at one instant.

    Attributes:
        told: By source, what it says.
        believed: By source that went away, the grounds that held when it did.
        awaited: Places that have not answered since the start.
    """

    told: Mapping[str, Mapping[Ground, bool]] = field(default_factory=dict)
    believed: Mapping[str, frozenset[Ground]] = field(default_factory=dict)
    awaited: frozenset[str] = frozenset()

    def says(self, source: str, said: Said) -> "Grounds":
        """A source says something; it replaces what that source said of the same grounds, and what was believed of it."""
        now = {**self.told.get(source, {}), **said}
        left = self.believed.get(source, frozenset()) - said.keys()
        told = {**self.told, source: {ground: holds for ground, holds in now.items() if holds is not None}}
        return replace(self, told=told, believed={**self.believed, source: left})

    def loses(self, source: str) -> "Grounds":
        """A source went away, or was not there."""
        held = {ground for ground, holds in self.told.get(source, {}).items() if holds}
        told = {name: said for name, said in self.told.items() if name != source}
        return replace(self, told=told, believed={**self.believed, source: self.believed.get(source, frozenset()) | held})

    def settles(self, place: str | None = None) -> "Grounds":
        """A place has answered, or is not there. None: all of them have had their time."""
        return replace(self, awaited=self.awaited - {place} if place else frozenset())

    def holding(self) -> frozenset[Automatic]:
        """The automatic exemptions that hold."""
        waiting = frozenset({Automatic.NOT_TOLD_YET} if self.awaited else ())
        return frozenset(ground for ground in self._every() if isinstance(ground, Automatic)) | waiting

    def sparing(self) -> frozenset[Cause]:
        """The causes of the budget that hold."""
        return frozenset(ground for ground in self._every() if isinstance(ground, Cause))

    def _every(self) -> frozenset[Ground]:
        said = frozenset(ground for each in self.told.values() for ground, holds in each.items() if holds)
        return said.union(*self.believed.values())

    def tellers(self, ground: Ground) -> tuple[str, ...]:
        """The sources that can tell of it now; empty: nothing can."""
        return tuple(sorted(source for source, said in self.told.items() if ground in said))

    def sources(self) -> frozenset[tuple[str, Ground]]:
        """Who can tell of what now."""
        return frozenset((source, ground) for source, said in self.told.items() for ground in said)

    def untold(self) -> tuple[Automatic, ...]:
        """The grounds of which nothing can tell now."""
        return tuple(ground for ground in UNTOLD if not self.tellers(ground))


UNTOLD: Mapping[Automatic, str] = MappingProxyType(
    {
        Automatic.LOCKED: NO_LOCKS,
        Automatic.ASLEEP: "Nothing here says that the computer goes to sleep; that it slept is noticed when it is over.",
        Automatic.ABSENT: "Nothing here says whether anybody is at the computer, so somebody counts as there.",
        Automatic.OTHER_SESSION: "Nothing here says which session is in front, so this one counts as in front.",
        Automatic.REMOTE_CONTROLLED: "Nothing here says whether the session is controlled from elsewhere, so it counts as not.",
        Automatic.SCREEN_SHARED: "Nothing here says whether the screen is shared, so it counts as not shared.",
        Automatic.METERED_LINK: "Nothing here says whether the link is metered, so it counts as you chose, else as it was told last.",
        Automatic.BATTERY_LOW: "Nothing here says how full the battery is, so it counts as full.",
    }
)
"""What it means that no source tells of a ground, for people. Those that are left out are not told by sources."""

NEVER_TOLD = (
    "On an X screen any program can look or type unseen: only programs known by name, and what GNOME shares, are noticed.",
    "Nothing says that a private window is in front: a site counts only in a window that Firefox surely shows as a normal one.",
)
"""What nothing here can tell, whatever answers."""


def unknowns(untold: Iterable[Automatic]) -> tuple[str, ...]:
    """What cannot be told here, one sentence each, for people."""
    return (*(UNTOLD[ground] for ground in untold if ground in UNTOLD), *NEVER_TOLD)
