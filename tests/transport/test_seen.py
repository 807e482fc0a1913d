"""Time in which a person could have looked is counted only where it was watched; a restart, a suspend and a locked screen add nothing."""

from hypothesis import given, settings
from hypothesis import strategies as st

from consent.event import Clocks
from consent.holding import DEFAULT_HOLD_S, LONGEST_S, SHORTEST_S, Holding, in_force_s
from tests.transport.makers import click
from transport.seen import MAX_STRETCHES, SEEN_AT_LEAST_MS, STEP_AT_MOST_MS, Seen, Stretch, since_ms, sound, watched
from transport.span import cover_of
from transport.term import Term

MINUTE = 60_000
WALL = 1_700_000_000_000


def at(minutes: float, asleep_ms: int = 0) -> Clocks:
    awake_ms = int(minutes * MINUTE)
    return Clocks(awake_ms, awake_ms + asleep_ms, WALL + awake_ms + asleep_ms)


def watched_for(minutes: int, boot: str = "a", begin: float = 0, seen: Seen = ()) -> Seen:
    for minute in range(minutes):
        seen = watched(seen, boot, at(begin + minute), at(begin + minute + 1))
    return seen


def test_minutes_that_were_watched_add_up_and_only_those_behind_the_event_count() -> None:
    """Ten minutes watched: ten behind what came before them, four behind what came in the sixth."""
    seen = watched_for(10)
    assert len(seen) == 1
    assert [since_ms(seen, "a", minute * MINUTE, "a") for minute in (0, 6, 10, 11)] == [10 * MINUTE, 4 * MINUTE, 0, 0]


def test_a_suspend_and_an_unwatched_stretch_add_nothing() -> None:
    """The machine slept between two looks, or they are far apart, or the clock did not move: nothing was seen."""
    for before, now in ((at(1), at(2, asleep_ms=5 * MINUTE)), (at(1), at(2 + STEP_AT_MOST_MS / MINUTE)), (at(1), at(1))):
        assert watched((), "a", before, now) == ()


def test_seen_time_of_a_later_start_counts_whole_and_of_an_earlier_one_not() -> None:
    """Starts of the machine come in the order of their stretches; one that no stretch tells of counts only the present start's."""
    seen = watched_for(4, "c", 0, watched_for(6, "b"))
    assert since_ms(seen, "b", 2 * MINUTE, "c") == (4 + 4) * MINUTE
    assert since_ms(seen, "c", 1 * MINUTE, "c") == 3 * MINUTE
    assert since_ms(seen, "unknown", 0, "c") == 4 * MINUTE
    assert since_ms(seen, "unknown", 0, "d") == 0


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["watched", "locked", "asleep", "restart"]), st.integers(1, 170)), max_size=60))
def test_it_never_counts_more_than_was_awake_and_unlocked(acts: list[tuple[str, int]]) -> None:
    """Random lives: what is counted behind any instant of this start or an earlier one is never more than the model's, and bounded."""
    boots, now, truth = 0, Clocks(0, 0, 0), [("0", 0, 0)]
    seen: Seen = ()
    for act, seconds in acts:
        if act == "restart":
            boots, now = boots + 1, Clocks(0, 0, 0)
        asleep_ms = 3_000 if act == "asleep" else 0
        before, now = now, Clocks(now.awake_ms + seconds * 1000, now.boot_ms + seconds * 1000 + asleep_ms, 0)
        if act != "locked":
            seen = watched(seen, str(boots), before, now)
        truth.append((str(boots), before.boot_ms, before.boot_ms if act in ("locked", "asleep") else now.boot_ms))
    boot = str(boots)
    assert len(seen) <= MAX_STRETCHES
    assert sound(seen) == seen
    for place, (event_boot, event_ms, _) in enumerate(truth):
        really_ms = sum(end - max(begin, event_ms if one == event_boot else 0) for one, begin, end in truth[place:])
        assert since_ms(seen, event_boot, event_ms, boot) <= really_ms


def test_what_was_saved_and_cannot_be_true_counts_as_nothing() -> None:
    """Stretches that overlap, run backwards or come back to an earlier start are not believed."""
    good = (Stretch("a", 0, 5), Stretch("a", 7, 9), Stretch("b", 0, 1))
    assert sound(good) == good
    for bad in ((Stretch("a", 5, 0),), (Stretch("a", 0, 5), Stretch("a", 4, 9)), (*good, Stretch("a", 10, 11))):
        assert sound(bad) == ()


def term(seen: Seen, hold_s: int = SHORTEST_S) -> Term:
    return Term(hold_s, (), seen)


def test_a_hold_is_over_only_after_its_time_and_a_quarter_of_an_hour_of_seen_time() -> None:
    """INV-19: the longer of both; a machine that was locked all day has shown nobody anything."""
    cover = cover_of([click(0)], "a")
    assert not term(watched_for(15)).over(cover, boot="a", now=at(14.9))
    assert not term(()).over(cover, boot="a", now=at(24 * 60))
    assert not term(watched_for(14)).over(cover, boot="a", now=at(24 * 60))
    assert term(watched_for(15)).over(cover, boot="a", now=at(15))
    assert term(watched_for(15, "b")).over(cover, boot="b", now=at(16)) is True
    assert SEEN_AT_LEAST_MS == 15 * MINUTE


def test_a_longer_hold_acts_at_once_and_a_shorter_one_for_what_comes_after_it() -> None:
    """Whatever is chosen afterwards, an event is held for the longest hold in force since it was recorded."""
    early, late = cover_of([click(0)], "a"), cover_of([click(100)], "a")
    shorter = Holding().choose(SHORTEST_S, DEFAULT_HOLD_S, Clocks(50, 50, WALL + 50), "a")
    cut = Term(in_force_s(shorter, 0, 0), shorter.changes)
    assert (cut.held_s(early, "a"), cut.held_s(late, "a")) == (DEFAULT_HOLD_S, SHORTEST_S)
    longer = shorter.choose(LONGEST_S, SHORTEST_S, Clocks(200, 200, WALL + 200), "a")
    both = Term(in_force_s(longer, 0, 0), longer.changes)
    assert {both.held_s(cover, "a") for cover in (early, late)} == {LONGEST_S}
    again = longer.choose(SHORTEST_S, LONGEST_S, Clocks(300, 300, WALL + 300), "a")
    assert Term(in_force_s(again, 0, 0), again.changes).held_s(late, "a") == LONGEST_S


def test_of_another_start_of_the_machine_in_doubt_the_longer_hold_counts() -> None:
    """A change in the present start is later than all earlier ones; an earlier change is before the present start; else the wall clock."""
    change = Holding().choose(SHORTEST_S, LONGEST_S, Clocks(50, 50, WALL + 50), "b").changes
    cut = Term(SHORTEST_S, change)
    old, new = cover_of([click(10, wall_ms=WALL)], "a"), cover_of([click(10, wall_ms=WALL + 99)], "a")
    assert (cut.held_s(old, "b"), cut.held_s(new, "b")) == (LONGEST_S, LONGEST_S)
    assert cut.held_s(cover_of([click(10, wall_ms=0)], "c"), "c") == SHORTEST_S
    assert (cut.held_s(old, "c"), cut.held_s(new, "c")) == (LONGEST_S, SHORTEST_S)


@given(st.lists(st.tuples(st.booleans(), st.integers(SHORTEST_S, LONGEST_S)), max_size=8), st.integers(0, 9), st.integers(900, LONGEST_S))
def test_no_row_of_choices_and_policies_ends_a_hold_early(steps: list[tuple[bool, int]], recorded: int, policy_s: int) -> None:
    """For any row of choices and yeses: an event's hold is at least each hold that was in force from its recording on."""
    holding, promised_s = Holding(), DEFAULT_HOLD_S
    in_force = [in_force_s(holding, promised_s, policy_s)]
    for place, (chooses, seconds) in enumerate(steps):
        now = Clocks(place * 10 + 5, place * 10 + 5, WALL)
        if chooses:
            holding = holding.choose(seconds, in_force[-1], now, "a")
        else:
            promised_s = max(DEFAULT_HOLD_S, seconds)
            holding = holding.agree(in_force[-1], now, "a")
        in_force.append(in_force_s(holding, promised_s, policy_s))
    place = min(recorded, len(steps))
    cover = cover_of([click(place * 10)], "a")
    held_s = Term(in_force[-1], holding.changes).held_s(cover, "a")
    assert held_s == max(in_force[place:])
    assert held_s >= policy_s
