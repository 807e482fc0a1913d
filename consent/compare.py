"""What a policy asks for that another does not, in words: wider, narrower, or other. Pure.

For those who sign and for those who ask. An agent does not read this: it compares each policy with what its own subject agreed to
(`agent/permission.py`); tests/consent/test_compare.py holds the two to each other.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from consent.notice import labels
from consent.policy import Policy, PurposeTerms, SurfaceTerms
from consent.vocabulary import SurfaceId


class Direction(StrEnum):
    """Which way a change goes for the subject."""

    WIDER = "wider"
    NARROWER = "narrower"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference.

    Attributes:
        words: For people, one line.
        waits: Whether what it touches is off, for everybody who agreed to the policy before, until they agree to this one.
    """

    direction: Direction
    words: str
    waits: bool


_Id = TypeVar("_Id", bound=str)
_Terms = TypeVar("_Terms")


def _more(words: str) -> Change:
    return Change(Direction.WIDER, words, True)


def _less(words: str) -> Change:
    return Change(Direction.NARROWER, words, False)


def _other(words: str, *, waits: bool = True) -> Change:
    return Change(Direction.OTHER, words, waits)


def changes(old: Policy | None, new: Policy) -> tuple[Change, ...]:
    """Everything in which `new` differs from `old`, what is wider first; `old` None: there was no policy."""
    if old is None:
        found = [_more(_surface(each)) for each in new.surfaces.values()]
        return (*(_more(_purpose(each)) for each in new.purposes.values()), *found)
    every = [*_whole(old, new), *_purposes(old, new), *_surfaces(old, new)]
    return tuple(change for direction in Direction for change in every if change.direction is direction)


def _whole(old: Policy, new: Policy) -> Iterator[Change]:
    if old.controller != new.controller:
        yield _other(f"the controller is {new.controller}, and was {old.controller}: everything waits")
    if old.receiver != new.receiver:
        yield _other(f"the recipient is {new.receiver}, and was {old.receiver}: everything waits")
    if new.hold_min_s < old.hold_min_s:
        yield _more(f"the hold is {_span(new.hold_min_s)}, and was {_span(old.hold_min_s)}; agents keep to what was promised")
    if new.hold_min_s > old.hold_min_s:
        yield _less(f"the hold is {_span(new.hold_min_s)}, and was {_span(old.hold_min_s)}")
    if old.daily_notice and not new.daily_notice:
        yield _more("the notice is shown once, and was due on each day; agents keep to what was promised")
    if new.daily_notice and not old.daily_notice:
        yield _less("the notice is due on each day, and was shown once")
    if old.reviewer != new.reviewer:
        yield _other(_reviewer(old, new), waits=False)
    if _first(old) != _first(new):
        yield _other(f"the marks of holes in the record serve {_first(new)}, and served {_first(old)}")


def _reviewer(old: Policy, new: Policy) -> str:
    if new.reviewer is None:
        return "nobody decides about exemptions any more; those asked for hold all the same"
    if old.reviewer is None:
        return f"{new.reviewer.name} decides about exemptions, and nobody did"
    keys = "" if old.reviewer.name != new.reviewer.name else ", with other keys"
    return f"{new.reviewer.name} decides about exemptions{keys}, and {old.reviewer.name} did"


def _first(policy: Policy) -> str:
    return next(iter(policy.purposes))


def _purposes(old: Policy, new: Policy) -> Iterator[Change]:
    yield from _come_and_gone(old.purposes, new.purposes, _purpose)
    for each in sorted(old.purposes.keys() & new.purposes.keys()):
        yield from _of_purpose(old.purposes[each], new.purposes[each])


def _of_purpose(old: PurposeTerms, new: PurposeTerms) -> Iterator[Change]:
    if new.key_id != old.key_id:
        yield _more(f"purpose {new.id}: another key opens it ({new.key_id.hex()[:16]}, and not {old.key_id.hex()[:16]})")
    if new.retention_days > old.retention_days:
        yield _more(f"purpose {new.id}: kept {new.retention_days} days, and not {old.retention_days}")
    if new.retention_days < old.retention_days:
        yield _less(f"purpose {new.id}: kept {new.retention_days} days, and not {old.retention_days}")
    if new.readers != old.readers:
        yield _other(f"purpose {new.id}: opened by {new.readers}, and not by {old.readers}")
    if new.title != old.title:
        yield _other(f"purpose {new.id}: it is called {new.title}, and was {old.title}")


def _surfaces(old: Policy, new: Policy) -> Iterator[Change]:
    yield from _come_and_gone(old.surfaces, new.surfaces, _surface)
    for each in sorted(old.surfaces.keys() & new.surfaces.keys()):
        yield from _of_surface(each, old.surfaces[each], new.surfaces[each])


def _of_surface(name: SurfaceId, old: SurfaceTerms, new: SurfaceTerms) -> Iterator[Change]:
    if added := new.kinds - old.kinds:
        yield _more(f"app {name}: also {', '.join(sorted(added))}")
    if removed := old.kinds - new.kinds:
        yield _less(f"app {name}: no longer {', '.join(sorted(removed))}")
    if more := set(new.executables) - set(old.executables):
        yield _more(f"app {name}: also stands for {', '.join(sorted(more))}")
    if less := set(old.executables) - set(new.executables):
        yield _other(f"app {name}: no longer stands for {', '.join(sorted(less))}; it waits, because it is no longer what was agreed to")
    yield from _narrowed_to(name, "programs of the packages", old.packages, new.packages)
    yield from _narrowed_to(name, "the hosts", old.hosts, new.hosts)
    if words := set(new.words) - set(old.words):
        yield _more(f"app {name}: also keeps the labels {', '.join(sorted(words))}")
    if words := set(old.words) - set(new.words):
        yield _other(
            f"app {name}: no longer keeps the labels {', '.join(sorted(words))}; it waits, because it is no longer what was agreed to"
        )
    if new.category != old.category:
        change = _more if old.structure_only and not new.structure_only else _other
        yield change(f"app {name}: it counts as {new.category}, and was {old.category}")
    if new.purpose != old.purpose:
        yield _more(f"app {name}: it serves the purpose {new.purpose}, and served {old.purpose}")
    if new.name != old.name:
        yield _other(f"app {name}: it is called {new.name}, and was {old.name}", waits=False)


def _narrowed_to(name: SurfaceId, what: str, old: tuple[str, ...], new: tuple[str, ...]) -> Iterator[Change]:
    """Packages or hosts: none stands for no limit. A limit that is tighter waits too: what was agreed to is no longer what is meant."""
    if set(old) == set(new):
        return
    if not new:
        yield _more(f"app {name}: no longer only {what} {', '.join(sorted(old))}, but any")
    elif more := old and set(new) - set(old):
        yield _more(f"app {name}: also {what} {', '.join(sorted(more))}")
    if new and (gone := set(old) - set(new) if old else set(new)):
        words = "no longer" if old else "now only"
        yield _other(f"app {name}: {words} {what} {', '.join(sorted(gone))}; it waits, because it is no longer what was agreed to")


def _come_and_gone(old: Mapping[_Id, _Terms], new: Mapping[_Id, _Terms], words: Callable[[_Terms], str]) -> Iterator[Change]:
    yield from (_more(words(new[each])) for each in new if each not in old)
    yield from (_less(f"no longer: {words(old[each])}") for each in old if each not in new)


def _purpose(terms: PurposeTerms) -> str:
    return f"purpose {terms.id}: {terms.title}; opened by {terms.readers}, kept {terms.retention_days} days"


def _surface(terms: SurfaceTerms) -> str:
    where = f", only at {', '.join(terms.hosts)}" if terms.hosts else ""
    return f"app {terms.id} ({terms.name}, {terms.category}{where}): {', '.join(sorted(terms.kinds))}, for {terms.purpose}{labels(terms)}"


def _span(seconds: int) -> str:
    return f"{seconds // 3600} hours" if seconds % 3600 == 0 else f"{seconds // 60} minutes"
