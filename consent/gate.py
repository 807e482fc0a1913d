"""The gate: the one place that says yes to an event. Pure; asked before a hook, for each event, at sealing, before sending.

Rules are asked in a fixed order; each can only refuse, none can overrule a refusal, and what no rule knows is refused by
the last one. `Admitted` has no other maker: its constructor takes a value that cannot exist (`Never`), so that a bypass
does not type-check, and raises, so that it does not run either.
"""

from collections.abc import Callable
from dataclasses import replace
from enum import Enum, auto
from typing import Never, final

from consent.event import Event
from consent.scope import SURFACELESS
from consent.standing import Standing
from consent.vocabulary import Kind, Purpose, State, Why


class Asked(Enum):
    """At which moment the gate is asked about an event."""

    CAPTURE = auto()  # it has just been seen: generation and indicator count
    SEALING = auto()  # its hold is over: it was captured under an older generation; everything else is asked again


@final
class Admitted:
    """An event that the gate let through, and the one purpose that it may serve. Only `decide` makes it."""

    __slots__ = ("event", "purpose")
    event: Event
    purpose: Purpose

    def __init__(self, never: Never) -> None:  # noqa: ARG002  (its type is the point)
        raise TypeError("only consent.gate.decide admits an event")

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("an admitted event does not change")

    def __repr__(self) -> str:
        return f"<Admitted {self.event.kind}>"


def _admit(event: Event, purpose: Purpose) -> Admitted:
    admitted = object.__new__(Admitted)
    object.__setattr__(admitted, "event", event)
    object.__setattr__(admitted, "purpose", purpose)
    return admitted


@final
class Refused:
    """An event that the gate did not let through; it is counted under `why` and forgotten."""

    __slots__ = ("why",)
    __match_args__ = ("why",)

    def __init__(self, why: Why) -> None:
        self.why = why

    def __repr__(self) -> str:
        return f"<Refused {self.why}>"


_Rule = Callable[[Event, Standing, Asked], Why | None]
_CLOSED_STATES = {
    State.UNASKED: Why.NO_CONSENT,
    State.PAUSED: Why.PAUSED,
    State.EXEMPT: Why.EXEMPT,
    State.WITHDRAWN: Why.WITHDRAWN,
    State.BLOCKED: Why.BLOCKED,
}


def _subject_says_yes(_: Event, standing: Standing, __: Asked) -> Why | None:
    if standing.state is State.CONSENTED:
        return Why.BLOCKED if standing.blockers else None
    return _CLOSED_STATES.get(standing.state, Why.NO_CONSENT)


def _hook_is_of_this_generation(event: Event, standing: Standing, asked: Asked) -> Why | None:
    stale = asked is Asked.CAPTURE and event.generation != standing.generation
    return Why.OLD_GENERATION if stale else None


def _indicator_is_live(_: Event, standing: Standing, asked: Asked) -> Why | None:
    return Why.NO_INDICATOR if asked is Asked.CAPTURE and not standing.indicator else None


def _is_not_exempt(event: Event, standing: Standing, _: Asked) -> Why | None:
    """By when it was seen: an exemption for some hours takes what was seen in them, whenever it is asked about."""
    seen = (event.at.wall_ms,)
    exempt = any(covers.takes(event.surface, event.kind) and covers.may_hold(seen) for covers in standing.exempt)
    return Why.EXEMPT if exempt else None


def _surface_is_allowed(event: Event, standing: Standing, _: Asked) -> Why | None:
    if event.kind in SURFACELESS:
        return None if event.surface is None else Why.MALFORMED
    return None if event.surface in standing.scope.surfaces() else Why.SURFACE_NOT_ALLOWED


def _kind_is_consented(event: Event, standing: Standing, _: Asked) -> Why | None:
    return None if event.kind in standing.scope.kinds() else Why.KIND_NOT_CONSENTED


RULES: tuple[_Rule, ...] = (
    _subject_says_yes,
    _hook_is_of_this_generation,
    _indicator_is_live,
    _is_not_exempt,
    _surface_is_allowed,
    _kind_is_consented,
)


def decide(event: Event, standing: Standing, asked: Asked = Asked.CAPTURE) -> Admitted | Refused:
    """Whether an event may be kept (CAPTURE) or sealed (SEALING). The last word is the scope's: no purpose, no event."""
    if asked is Asked.SEALING and standing.aside.grants:
        standing = replace(standing, scope=standing.scope.join(standing.aside))
    for rule in RULES:
        why = rule(event, standing, asked)
        if why is not None:
            return Refused(why)
    purpose = standing.scope.purpose(event.surface, event.kind)
    return Refused(Why.NOT_IN_SCOPE) if purpose is None else _admit(event, purpose)


def may_hook(standing: Standing) -> frozenset[Kind]:
    """The kinds for which a hook may be installed now; empty means that no observer may run."""
    return standing.scope.kinds() if standing.open else frozenset()


def may_send(purpose: Purpose, standing: Standing) -> bool:
    """Whether an envelope sealed for this purpose may leave now."""
    permitted = standing.scope.join(standing.aside)
    return standing.state is State.CONSENTED and not standing.blockers and purpose in permitted.grants.values()
