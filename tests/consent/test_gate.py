"""The gate: what it lets through, and that there is no way around it."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.event import Clocks, Event, Gap
from consent.gate import Admitted, Asked, Refused, decide, may_hook, may_send
from consent.scope import NOTHING, Scope
from consent.standing import CLOSED, Standing
from consent.vocabulary import Blocker, Kind, State, Why
from tests.consent.samples import EDITOR, MAIL, TESTING, TRAINING, click, events, everything, recording

ROOT = Path(__file__).parents[2]


def why(event: Event, standing: Standing, asked: Asked = Asked.CAPTURE) -> Why | None:
    decision = decide(event, standing, asked)
    return decision.why if isinstance(decision, Refused) else None


def test_an_event_within_everything_is_admitted_for_its_purpose() -> None:
    """Consent, policy, generation, indicator and scope hold: the event is admitted for the one purpose of its pair."""
    decision = decide(click(), recording())
    assert isinstance(decision, Admitted)
    assert (decision.event, decision.purpose) == (click(), TRAINING)


@pytest.mark.parametrize(
    ("standing", "reason"),
    [
        (replace(recording(), state=State.UNASKED), Why.NO_CONSENT),
        (replace(recording(), state=State.PAUSED), Why.PAUSED),
        (replace(recording(), state=State.EXEMPT), Why.EXEMPT),
        (replace(recording(), state=State.WITHDRAWN), Why.WITHDRAWN),
        (replace(recording(), state=State.BLOCKED), Why.BLOCKED),
        (replace(recording(), blockers=(Blocker.POLICY_EXPIRED,)), Why.BLOCKED),
        (replace(recording(), generation=2), Why.OLD_GENERATION),
        (replace(recording(), indicator=False), Why.NO_INDICATOR),
        (replace(recording(), scope=everything(MAIL)), Why.SURFACE_NOT_ALLOWED),
        (replace(recording(), scope=Scope({(EDITOR, Kind.FOCUS): TRAINING})), Why.KIND_NOT_CONSENTED),
        (replace(recording(), scope=Scope({(EDITOR, Kind.FOCUS): TRAINING, (MAIL, Kind.POINTER_BUTTON): TRAINING})), Why.NOT_IN_SCOPE),
        (replace(recording(), scope=NOTHING), Why.SURFACE_NOT_ALLOWED),
        (CLOSED, Why.NO_CONSENT),
    ],
)
def test_each_missing_condition_refuses_for_its_own_reason(standing: Standing, reason: Why) -> None:
    """Whatever one thing is missing, the event is refused, and counted under what is missing."""
    assert why(click(), standing) is reason


def test_a_gap_on_a_surface_is_malformed() -> None:
    """A gap says only that something else was in front; one that names a surface is refused."""
    assert why(Event(EDITOR, 0, Clocks(1, 1, 1), 1, 0, Gap()), recording()) is Why.MALFORMED


def test_at_sealing_the_generation_is_old_and_everything_else_is_asked_again() -> None:
    """A held event is of an older generation and may be sealed; but not after a withdrawal, a pause or a narrower policy."""
    later = replace(recording(), generation=9, indicator=False)
    assert why(click(), later, Asked.SEALING) is None
    assert why(click(), replace(later, state=State.PAUSED), Asked.SEALING) is Why.PAUSED
    assert why(click(), replace(later, scope=everything(MAIL)), Asked.SEALING) is Why.SURFACE_NOT_ALLOWED


@given(
    events(),
    st.builds(
        Standing,
        st.sampled_from(State),
        st.integers(0, 5),
        st.sampled_from([NOTHING, everything(), everything(MAIL, TESTING)]),
        st.booleans(),
        st.sampled_from([(), (Blocker.NO_INDICATOR,)]),
    ),
)
def test_what_is_admitted_satisfies_every_rule(event: Event, standing: Standing) -> None:
    """INV-1 and INV-4, stated apart from the code: admitted implies consented, unblocked, proven, current, and in scope."""
    decision = decide(event, standing)
    allowed = (
        standing.state is State.CONSENTED
        and not standing.blockers
        and standing.indicator
        and event.generation == standing.generation
        and (event.surface, event.kind) in standing.scope.grants
    )
    assert isinstance(decision, Admitted) == allowed


@given(st.sampled_from(State), st.booleans(), st.booleans(), st.booleans())
def test_no_hook_without_an_open_standing(state: State, indicator: bool, blocked: bool, scoped: bool) -> None:
    """INV-16: the kinds that may be hooked are empty unless everything holds."""
    blockers = (Blocker.POLICY_EXPIRED,) if blocked else ()
    standing = Standing(state, 1, everything() if scoped else NOTHING, indicator, blockers)
    everything_holds = state is State.CONSENTED and indicator and not blocked and scoped
    assert bool(may_hook(standing)) == everything_holds


def test_an_envelope_may_leave_only_under_consent_for_its_purpose() -> None:
    """Before each upload: consented, not blocked, and the envelope's purpose still agreed to."""
    assert may_send(TRAINING, recording())
    assert not may_send(TESTING, recording())
    for state in set(State) - {State.CONSENTED}:
        assert not may_send(TRAINING, replace(recording(), state=state))
    assert not may_send(TRAINING, replace(recording(), blockers=(Blocker.POLICY_EXPIRED,)))


def test_nobody_but_the_gate_can_make_an_admitted() -> None:
    """The constructor does not run; and an admitted event cannot be changed into another."""
    with pytest.raises(TypeError):
        Admitted(click())  # type: ignore[arg-type]
    decision = decide(click(), recording())
    assert isinstance(decision, Admitted)
    with pytest.raises(AttributeError):
        decision.event = click(n=99)


def test_a_bypass_of_the_gate_does_not_type_check(tmp_path: Path) -> None:
    """mypy refuses to construct an Admitted from anything, to subclass it, and to keep an Event that was not admitted."""
    snippet = tmp_path / "bypass.py"
    snippet.write_text(
        "from agent.pending import Pending\n"
        "from consent.event import Event\n"
        "from consent.gate import Admitted\n"
        "def bypass(event: Event, pending: Pending) -> None:\n"
        "    Admitted(event)\n"
        "    Admitted()\n"
        "    pending.add(event)\n"
        "class Mine(Admitted): ...\n"
    )
    command = [sys.executable, "-m", "mypy", "--config-file", "pyproject.toml", "--no-incremental", str(snippet)]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    refused = {line.split(":")[1] for line in checked.stdout.splitlines() if "bypass.py" in line and "error" in line}
    assert refused == {"5", "6", "7", "8"}, checked.stdout


def test_reprs_on_the_way_hold_no_payload() -> None:
    """INV-22: what the gate handles prints kinds and counts, never coordinates."""
    decision = decide(click(), recording())
    assert repr(decision) == "<Admitted pointer_button>"
    assert repr(click()) == "<Event pointer_button n=1>"
    assert repr(click().payload) == "<PointerButton>"
