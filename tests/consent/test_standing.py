"""The table of standings: what can follow what."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.standing import TRANSITIONS, Happening, StandingError, after
from consent.vocabulary import State


def test_every_state_has_a_row_and_every_no_is_always_possible() -> None:
    """Withdrawal is possible from every state; a pause from every state that a yes led to."""
    assert set(TRANSITIONS) == set(State)
    assert {after(state, Happening.WITHDRAWN) for state in State} == {State.WITHDRAWN}
    asked = set(State) - {State.UNASKED, State.WITHDRAWN}
    assert {after(state, Happening.PAUSE_ASKED) for state in asked} == {State.PAUSED}


def test_an_unlisted_pair_is_an_error() -> None:
    """What the table does not list cannot happen."""
    with pytest.raises(StandingError):
        after(State.WITHDRAWN, Happening.RESUME_ASKED)
    with pytest.raises(StandingError):
        after(State.UNASKED, Happening.PAUSE_ASKED)


def test_only_a_yes_leads_out_of_a_no() -> None:
    """INV-10: from unasked and withdrawn only consent_given leads to consented."""
    for state in (State.UNASKED, State.WITHDRAWN):
        leads = {happening for happening, to in TRANSITIONS[state].items() if to is not State.WITHDRAWN}
        assert leads == {Happening.CONSENT_GIVEN}


@given(st.lists(st.sampled_from(Happening)))
def test_no_pause_ends_but_by_resume_or_withdrawal(happenings: list[Happening]) -> None:
    """INV-7, on the table: paused is left by the person's own word only."""
    state = State.UNASKED
    for happening in happenings:
        try:
            new = after(state, happening)
        except StandingError:
            continue
        if state is State.PAUSED and new is not State.PAUSED:
            assert happening in (Happening.RESUME_ASKED, Happening.WITHDRAWN)
        state = new
