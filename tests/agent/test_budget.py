"""The budget's judge: more use never leaves more, what wavers does not flap, and what is not known is what the person chose."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import budget
from agent.budget import CAUSE_WORDS, COSTLY, LEVELS, Budget, Cause, Facts, Judged, Level, judge
from consent.scope import Scope
from consent.vocabulary import Automatic, Kind, Purpose, SurfaceId
from tests.agent.people import POLICY
from transport.allowance import DAY_BYTES, MONTH_BYTES, Limits, Used

ORDER = list(Level)
percents = st.none() | st.floats(0, 100)
told = st.frozensets(st.sampled_from([Cause.UNPLUGGED, Cause.METERED_LINK, Cause.LINK_UNKNOWN, Cause.RESTING, Cause.BATTERY_GOING]))
bytes_used = st.builds(Used, st.integers(0, 2 * DAY_BYTES), st.integers(0, 2 * MONTH_BYTES))
facts = st.builds(Facts, told, percents, st.none() | st.booleans(), bytes_used, st.none() | st.floats(0, 800))
before = st.frozensets(st.sampled_from(Cause))


def rank(judged: Judged) -> int:
    return ORDER.index(judged.level)


@given(facts, before, st.floats(0, 100), st.integers(0, DAY_BYTES), st.integers(0, MONTH_BYTES), st.floats(0, 400))
def test_more_use_never_leaves_more(one: Facts, held: frozenset[Cause], drop: float, day: int, month: int, cpu: float) -> None:
    """Emptier, more bytes, more of the processor, one cause more: each alone leaves as much or less."""
    now = rank(judge(one, held))
    used = one.used
    worse = [
        replace(one, used=replace(used, day_bytes=used.day_bytes + day)),
        replace(one, used=replace(used, month_bytes=used.month_bytes + month)),
        replace(one, used=replace(used, limits=Limits(DAY_BYTES - day, MONTH_BYTES - month))),
        *(replace(one, told=one.told | {cause}) for cause in Cause),
    ]
    if one.battery_percent is not None:
        worse += [replace(one, battery_percent=one.battery_percent - drop), replace(one, discharging=True)]
    if one.cpu_percent is not None:
        worse.append(replace(one, cpu_percent=one.cpu_percent + cpu))
    assert all(rank(judge(each, held)) >= now for each in worse)


@given(facts, before)
def test_what_held_before_never_leaves_more_than_a_fresh_look(one: Facts, held: frozenset[Cause]) -> None:
    """Memory only holds on to a cause a little longer; it invents none of those that do not waver."""
    judged = judge(one, held)
    assert rank(judged) >= rank(judge(one))
    assert set(judged.why) - set(judge(one).why) <= held & {Cause.BATTERY_LOW, Cause.BATTERY_GOING, Cause.PROCESSOR_BUSY} | (
        {Cause.BATTERY_GOING} if Cause.BATTERY_LOW in held else set()
    )


@given(facts, before)
def test_each_level_has_its_causes_and_words(one: Facts, held: frozenset[Cause]) -> None:
    """FULL has none; any other says why, or leaves that to the exemption and the blocker that say it."""
    judged = judge(one, held)
    assert (judged.level is Level.FULL) == (not judged.why)
    assert bool(judged.words) == (judged.level in (Level.LESS, Level.HOLD_ONLY))
    assert (judged.keeps is None) == (not judged.level.reaches(Level.HOLD_ONLY))
    assert all(LEVELS[cause] is not Level.FULL for cause in judged.why)


def walk(percents: list[float]) -> list[Level]:
    """The levels along a battery's numbers while it discharges."""
    judged, levels = Judged(), []
    for percent in percents:
        judged = judge(Facts(battery_percent=percent, discharging=True), judged.why)
        levels.append(judged.level)
    return levels


def test_a_battery_runs_down_and_up_through_the_levels_once() -> None:
    """From 100 to 0: full, less below 40, nothing below 20. On the way up each ends five points later."""
    down, up = walk([*range(100, -1, -1)]), walk([0, *range(1, 101)])
    assert [down.index(level) for level in (Level.FULL, Level.LESS, Level.NOTHING)] == [0, 61, 81]
    assert [up.index(level) for level in (Level.NOTHING, Level.LESS, Level.FULL)] == [0, 25, 45]
    assert down == sorted(down, key=ORDER.index)


@given(st.floats(1, 99), st.lists(st.floats(-2.4, 2.4), min_size=1, max_size=40))
def test_a_number_that_wavers_by_less_than_five_points_changes_the_level_once_at_most(about: float, noise: list[float]) -> None:
    """Whatever it wavers about, no two of its levels come in turns."""
    levels = walk([about + each for each in noise])
    assert sum(one is not other for one, other in pairwise(levels)) <= 1


def test_what_charges_or_is_not_there_is_full_enough_and_no_number_is_empty() -> None:
    """Three per cent with a charger, no battery at all, and a number that is none while it discharges."""
    levels = [
        judge(Facts(battery_percent=percent, discharging=discharging)).level
        for percent, discharging in ((3.0, False), (None, True), (None, None), (3.0, None), (float("nan"), True))
    ]
    assert levels == [Level.FULL, Level.FULL, Level.FULL, Level.FULL, Level.NOTHING]


@pytest.mark.parametrize(
    ("used", "level", "why"),
    [
        (Used(DAY_BYTES * 8 // 10 - 1, 0), Level.FULL, ()),
        (Used(DAY_BYTES * 8 // 10, 0), Level.LESS, (Cause.DAY_NEARLY_SPENT,)),
        (Used(DAY_BYTES, DAY_BYTES), Level.HOLD_ONLY, (Cause.DAY_SPENT,)),
        (Used(0, MONTH_BYTES * 8 // 10), Level.LESS, (Cause.MONTH_NEARLY_SPENT,)),
        (Used(DAY_BYTES, MONTH_BYTES), Level.HOLD_ONLY, (Cause.DAY_SPENT, Cause.MONTH_SPENT)),
        (Used(0, 0, Limits(0, MONTH_BYTES)), Level.HOLD_ONLY, (Cause.DAY_SPENT,)),
    ],
)
def test_over_budget_means_less_then_hold_only(used: Used, level: Level, why: tuple[Cause, ...]) -> None:
    """From four fifths on less, from the whole on nothing is sent; a limit of nothing sends nothing at all."""
    assert judge(Facts(used=used)) == Judged(level, why)


def test_the_processor_is_busy_from_five_per_cent_down_to_three() -> None:
    """A mean that wavers about the ceiling does not flap either."""
    judged, found = Judged(), []
    for percent in (None, 5.0, 5.1, 4.0, 3.1, 3.0, 4.9):
        judged = judge(Facts(cpu_percent=percent), judged.why)
        found.append(judged.level)
    assert found == [Level.FULL, Level.FULL, Level.LESS, Level.LESS, Level.LESS, Level.FULL, Level.FULL]


def test_an_exemption_that_the_budget_makes_is_its_cause_and_another_is_not() -> None:
    """Metered and unplugged are the budget's; a locked screen is not. What rests observes nothing."""
    kept = Budget()
    assert kept.judge({Automatic.METERED_LINK, Automatic.LOCKED}, Used(), resting=False) == Judged(Level.NOTHING, (Cause.METERED_LINK,))
    assert kept.judge({Automatic.LOCKED}, Used(), resting=False) == Judged()
    assert kept.judge((), Used(), resting=True).why == (Cause.RESTING,)
    kept.sparing = frozenset({Cause.BATTERY_GOING})
    assert kept.judge((), Used(), resting=False).level is Level.LESS


def test_every_cause_has_its_level_and_words() -> None:
    """And those that exempt have the words of their exemption."""
    assert set(LEVELS) == set(CAUSE_WORDS) == set(Cause)
    exempting = {cause for cause in Cause if cause.value in {ground.value for ground in Automatic}}
    assert {LEVELS[cause] for cause in exempting} == {Level.NOTHING}


def grants(*kinds: Kind) -> Mapping[tuple[SurfaceId | None, Kind], Purpose]:
    return MappingProxyType({(SurfaceId("editor"), kind): Purpose("train") for kind in kinds})


@pytest.mark.parametrize("level", Level)
def test_less_takes_the_costly_kinds_and_gives_none(level: Level) -> None:
    """At FULL all stays; else exactly the costly ones are gone, and nothing is there that was not."""
    scope = Scope(grants(*Kind))
    found = budget.left(scope, level)
    assert found.kinds() == (frozenset(Kind) if level is Level.FULL else frozenset(Kind) - COSTLY)
    assert budget.left(POLICY.scope(), level).without(POLICY.scope()) == Scope()
