"""What the indicator says: every state in words of its own, and the code in one place only."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.tray.look import CODE_IS_NOWHERE, CODE_IS_SHOWN, Act, Look, Shown, code_line, detail_line, one_line, plain_lines, state_line
from consent.vocabulary import State

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ALL = [Shown(state=state, recorded=recorded) for state in State for recorded in (False, True)]


def test_every_state_has_words_of_its_own() -> None:
    """Two states that a person must tell apart never share a headline."""
    headlines = {Shown(state=state).headline for state in State} | {Shown(state=State.CONSENTED, recorded=True).headline, Shown().headline}
    assert len(headlines) == len(State) + 2


def test_only_consented_and_recorded_looks_like_recording() -> None:
    """The filled dot is shown for one combination, whatever `recorded` says in another state."""
    assert [shown.state for shown in ALL if shown.look is Look.RECORDING] == [State.CONSENTED]


def test_before_the_daemon_speaks_it_looks_off() -> None:
    """An indicator that knows nothing claims nothing."""
    assert Shown().look is Look.OFF
    assert Shown().can == frozenset()


@pytest.mark.parametrize("shown", ALL, ids=str)
def test_withdrawing_is_possible_wherever_there_is_something_to_withdraw(shown: Shown) -> None:
    """Blocked, paused and exempt people can stop for good just as consented ones can."""
    assert (Act.WITHDRAW in shown.can) == (shown.state not in (State.UNASKED, State.WITHDRAWN))


@given(st.from_regex(r"[0-9]{6}", fullmatch=True), st.sampled_from(ALL))
def test_the_code_is_in_no_words_but_those_for_a_screen_reader(code: str, shown: Shown) -> None:
    """It is drawn on a card; the words say where, or that there is no screen to draw it on."""
    with_code = Shown(state=shown.state, recorded=shown.recorded, code=code)
    assert code_line(with_code) == CODE_IS_SHOWN
    assert code_line(replace(with_code, carded=False)) == CODE_IS_NOWHERE
    assert code_line(replace(with_code, read_aloud=True)) == f"Consent code: {code[:3]} {code[3:]}"
    assert code not in repr(with_code)
    assert plain_lines(with_code) == plain_lines(shown)
    assert code_line(shown) == ""


def test_a_pause_counts_down_where_it_is_read_and_names_its_end_where_it_stays() -> None:
    """The menu says minutes; the badge, which nobody redraws, says a time that stays true if the machine sleeps."""
    paused = Shown(
        state=State.PAUSED, since=NOON, now=NOON, pause_left_s=61, pause_until=datetime(2026, 11, 21, 12, 30, tzinfo=UTC), words="paused."
    )
    assert state_line(paused, counting=True) == "Paused · 2 min left · since 12:00"
    assert state_line(paused, counting=False) == "Paused · until 12:30 at the earliest · since 12:00"
    assert detail_line(paused) == ""


def test_a_pause_until_resumed_says_so() -> None:
    """No end is invented."""
    assert state_line(Shown(state=State.PAUSED), counting=True) == "Paused · until you resume"


def test_since_another_day_has_its_date() -> None:
    """Yesterday's noon is not today's."""
    line = state_line(Shown(state=State.EXEMPT, since=NOON, now=datetime(2026, 11, 22, 9, 0, tzinfo=UTC)), counting=True)
    assert line.endswith("since 2026-11-21 12:00")


@given(st.text(max_size=400))
def test_a_line_is_one_short_printable_line(words: str) -> None:
    """Whatever the daemon says, it cannot draw a second line into the menu."""
    line = one_line(words)
    assert len(line) <= 90
    assert all(char.isprintable() for char in line)
