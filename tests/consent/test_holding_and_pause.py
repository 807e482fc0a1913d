"""The hold's length and the pause's rest, to the second."""

import pytest

from consent.event import Clocks
from consent.holding import DEFAULT_HOLD_S, UNCHOSEN, Change, Holding, in_force_s
from consent.pause import Pause

AT, LATER = Clocks(1000, 1000, 1000), Clocks(2000, 2000, 2000)
DAY_S = 24 * 3600


def test_a_choice_is_remembered_with_what_it_was_before() -> None:
    chosen = UNCHOSEN.choose(900, DAY_S, AT, "one")
    assert chosen == Holding(900, False, (Change(AT, "one", DAY_S),))
    assert chosen.choose(1800, 900, LATER, "two") == Holding(1800, False, (Change(AT, "one", DAY_S), Change(LATER, "two", 900)))


@pytest.mark.parametrize(
    ("chosen_s", "stays_s"), [(None, None), (900, None), (DAY_S, None), (DAY_S + 1, DAY_S + 1), (2 * DAY_S, 2 * DAY_S)]
)
def test_a_yes_promises_anew_and_keeps_only_a_longer_choice(chosen_s: int | None, stays_s: int | None) -> None:
    agreed = Holding(chosen_s, False, ()).agree(77, AT, "one")
    assert agreed == Holding(stays_s, True, (Change(AT, "one", 77),))


@pytest.mark.parametrize(
    ("holding", "promised_s", "policy_s", "held_s"),
    [
        (UNCHOSEN, 0, 0, DEFAULT_HOLD_S),
        (UNCHOSEN, DAY_S + 5, 0, DAY_S + 5),
        (UNCHOSEN, 0, DAY_S + 6, DAY_S + 6),
        (Holding(900, False), DAY_S, 0, 900),
        (Holding(900, False), DAY_S, 1000, 1000),
        (Holding(900, True), DAY_S, 0, DAY_S),
        (Holding(0, False), 0, 0, 0),
    ],
)
def test_a_policy_only_lengthens_what_was_promised_or_chosen(holding: Holding, promised_s: int, policy_s: int, held_s: int) -> None:
    assert in_force_s(holding, promised_s, policy_s) == held_s


@pytest.mark.parametrize(
    ("minutes", "gone_ms", "boot", "left_s"),
    [
        (None, 0, "one", None),
        (1, 0, "one", 60),
        (1, 1, "one", 60),
        (1, 999, "one", 60),
        (1, 1000, "one", 59),
        (1, 1001, "one", 59),
        (1, 59_999, "one", 1),
        (1, 60_000, "one", 0),
        (1, 90_000, "one", 0),
        (1, -500, "one", 60),
        (2, 60_000, "another", 120),
    ],
)
def test_a_pause_counts_awake_time_of_its_own_start_of_the_machine(
    minutes: int | None, gone_ms: int, boot: str, left_s: int | None
) -> None:
    """Suspend and the wall clock do not count; after a restart it counts from the beginning; seconds are rounded up."""
    pause, now = Pause(minutes, AT, "one"), Clocks(AT.awake_ms + gone_ms, 9_999_999, 9_999_999)
    found = pause.left_s(now, boot)
    assert found == left_s
    assert found is None or isinstance(found, int)
