"""Scope: which kinds may be observed on which surfaces, and for which purpose. Scopes only ever shrink.

Each (surface, kind) has one purpose, so that no event goes into two batches. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from consent.vocabulary import Kind, Purpose, SurfaceId

SURFACELESS = frozenset({Kind.GAP, Kind.CONTROL})
"""Kinds that are of no surface: they say only that something else was in front, or that recording began or ended."""


@dataclass(frozen=True, slots=True)
class Scope:
    """A set of (surface, kind) pairs, each with its one purpose. Surface None stands for the surfaceless kinds."""

    grants: Mapping[tuple[SurfaceId | None, Kind], Purpose] = field(default_factory=lambda: MappingProxyType({}))

    def purpose(self, surface: SurfaceId | None, kind: Kind) -> Purpose | None:
        """What an event of this kind on this surface may be used for; None if it may not be observed at all."""
        return self.grants.get((surface, kind))

    def kinds(self) -> frozenset[Kind]:
        """The kinds that may be observed somewhere: what a hook may be installed for."""
        return frozenset(kind for _, kind in self.grants)

    def surfaces(self) -> frozenset[SurfaceId]:
        """The surfaces where something may be observed."""
        return frozenset(surface for surface, _ in self.grants if surface is not None)

    def meet(self, other: "Scope") -> "Scope":
        """What both allow for the same purpose. A pair with different purposes is allowed by neither."""
        return Scope(MappingProxyType({pair: purpose for pair, purpose in self.grants.items() if other.grants.get(pair) == purpose}))

    def without(self, other: "Scope") -> "Scope":
        """What this allows and `other` does not: how much wider this is."""
        return Scope(MappingProxyType({pair: purpose for pair, purpose in self.grants.items() if other.grants.get(pair) != purpose}))

    def join(self, other: "Scope") -> "Scope":
        """What either allows, of two that contradict each other nowhere."""
        return Scope(MappingProxyType({**self.grants, **other.grants}))


NOTHING = Scope()
