"""Standing: what holds for a subject, as one table `state -> happening -> state`, and what holds at one instant.

An unlisted pair is an error: it never happens, or a rule is missing. Nothing else can change a state. The diagram in
`docs/consent-model.md` is drawn from this table. Withdrawal is listed everywhere; a yes leads out of unasked and withdrawn only.
BLOCKED is a consent that cannot be acted upon: the subject's own words act on it as they act on a consent.
"""

from dataclasses import dataclass
from enum import StrEnum

from consent.exemption import Covers, Ground
from consent.scope import NOTHING, Scope
from consent.vocabulary import Automatic, Blocker, State


class Happening(StrEnum):
    """What can change a standing. The subject's own words come first; the last two are facts about the machine."""

    CONSENT_GIVEN = "consent_given"
    PAUSE_ASKED = "pause_asked"
    RESUME_ASKED = "resume_asked"
    WITHDRAWN = "withdrawn"
    EXEMPTION_BEGAN = "exemption_began"
    EXEMPTION_ENDED = "exemption_ended"
    BLOCKER_ROSE = "blocker_rose"
    BLOCKERS_GONE = "blockers_gone"


S, H = State, Happening

TRANSITIONS: dict[State, dict[Happening, State]] = {
    S.UNASKED: {
        H.CONSENT_GIVEN: S.CONSENTED,
        H.WITHDRAWN: S.WITHDRAWN,  # a no before any question is a no
    },
    S.CONSENTED: {
        H.CONSENT_GIVEN: S.CONSENTED,  # a widening, or less than before: the newest receipt holds
        H.PAUSE_ASKED: S.PAUSED,
        H.RESUME_ASKED: S.CONSENTED,
        H.EXEMPTION_BEGAN: S.EXEMPT,
        H.BLOCKER_ROSE: S.BLOCKED,
        H.WITHDRAWN: S.WITHDRAWN,
    },
    S.PAUSED: {
        H.CONSENT_GIVEN: S.PAUSED,  # a yes to something more does not end a pause
        H.PAUSE_ASKED: S.PAUSED,  # renewable without limit
        H.RESUME_ASKED: S.CONSENTED,  # only a person ends a pause
        H.WITHDRAWN: S.WITHDRAWN,
    },
    S.EXEMPT: {
        H.CONSENT_GIVEN: S.EXEMPT,
        H.PAUSE_ASKED: S.PAUSED,
        H.EXEMPTION_BEGAN: S.EXEMPT,
        H.EXEMPTION_ENDED: S.CONSENTED,
        H.WITHDRAWN: S.WITHDRAWN,
    },
    S.BLOCKED: {
        H.CONSENT_GIVEN: S.CONSENTED,
        H.PAUSE_ASKED: S.PAUSED,
        H.RESUME_ASKED: S.BLOCKED,
        H.EXEMPTION_BEGAN: S.EXEMPT,
        H.BLOCKER_ROSE: S.BLOCKED,
        H.BLOCKERS_GONE: S.CONSENTED,
        H.WITHDRAWN: S.WITHDRAWN,
    },
    S.WITHDRAWN: {
        H.WITHDRAWN: S.WITHDRAWN,
        H.CONSENT_GIVEN: S.CONSENTED,
    },
}


class StandingError(Exception):
    """Something happened that cannot happen to this standing; nothing has changed."""


def after(state: State, happening: Happening) -> State:
    """The state that follows. Raises StandingError for a pair that the table does not list."""
    try:
        return TRANSITIONS[state][happening]
    except KeyError:
        raise StandingError(f"{happening} cannot happen while {state}") from None


@dataclass(frozen=True, slots=True)
class Standing:
    """What holds at one instant; all that the gate needs to know.

    Attributes:
        state: The subject's standing.
        generation: The number of the present unchanged permission.
        scope: What may be observed: consented, met with the current policy, minus exemptions.
        indicator: Whether the same indicator has been live, on one unbroken connection, since before this generation.
        blockers: Why collection is refused as a whole; empty unless `state` is BLOCKED.
        because: Which automatic exemptions hold; empty unless `state` is EXEMPT.
        asked: On which grounds the person asked to be exempt from everything that they agreed to; empty unless `state` is EXEMPT.
        exempt: What each exemption covers that the person asked for, in whichever hours.
        aside: What of the rest is exempt at this hour only: not observed now, and sealed if it was observed at another hour.
        for_good: Nothing is agreed to, at any hour, that is not exempt: what is held is destroyed when its hold is over.
    """

    state: State
    generation: int
    scope: Scope = NOTHING
    indicator: bool = False
    blockers: tuple[Blocker, ...] = ()
    because: tuple[Automatic, ...] = ()
    asked: tuple[Ground, ...] = ()
    exempt: tuple[Covers, ...] = ()
    aside: Scope = NOTHING
    for_good: bool = False

    @property
    def open(self) -> bool:
        """Whether anything at all may be observed now."""
        return self.state is State.CONSENTED and self.indicator and not self.blockers and bool(self.scope.grants)


CLOSED = Standing(State.UNASKED, 0)
"""Where every process starts: until everything is verified, nothing is permitted."""
