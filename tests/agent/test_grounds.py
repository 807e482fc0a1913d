"""What the sources say amounts to: nothing that anybody says holds is lost, whatever the order, whoever goes away."""

from hypothesis import given
from hypothesis import strategies as st

from agent.budget import Cause
from agent.presence.grounds import NEVER_TOLD, UNTOLD, Grounds, unknowns
from agent.presence.programs import CONTROLLING, LONGEST_KERNEL_NAME, SHARING, grounds_of
from consent.vocabulary import Automatic

SOURCES = ("logind", "saver", "display")
TOLD = sorted(set(Automatic) - {Automatic.NOT_TOLD_YET, Automatic.OUTSIDE_HOURS, Automatic.PRIVATE_WINDOW})
LOCKED, ABSENT = Automatic.LOCKED, Automatic.ABSENT
said = st.dictionaries(st.sampled_from(TOLD), st.none() | st.booleans(), min_size=1, max_size=3)
steps = st.lists(st.tuples(st.sampled_from(SOURCES), st.none() | said), max_size=30)


@given(steps)
def test_a_ground_holds_from_its_word_until_the_same_source_takes_it_back(taken: list) -> None:
    """Any order of words and deaths: held is exactly what some source said last, and has not taken back since."""
    grounds, expected = Grounds(), set()
    for source, words in taken:
        grounds = grounds.loses(source) if words is None else grounds.says(source, words)
        for ground, holds in (words or {}).items():
            (expected.add if holds else expected.discard)((source, ground))
        assert grounds.holding() == {ground for _, ground in expected}


@given(steps)
def test_a_source_that_is_gone_tells_of_nothing(taken: list) -> None:
    """What is believed is not told: nobody is named as telling it."""
    grounds = Grounds()
    for source, words in taken:
        grounds = grounds.loses(source) if words is None else grounds.says(source, words)
    grounds = grounds.loses("logind")
    assert all("logind" not in grounds.tellers(ground) for ground in Automatic)


def test_a_source_that_dies_while_it_says_locked_is_believed_until_it_tells_again() -> None:
    """Its death opens nothing, another's word does not either; its own does. One that said nothing is just gone."""
    grounds = Grounds().says("saver", {LOCKED: True}).says("logind", {LOCKED: False}).loses("saver")
    assert grounds.holding() == {LOCKED}
    assert grounds.tellers(LOCKED) == ("logind",)
    assert grounds.says("logind", {LOCKED: False}).loses("saver").holding() == {LOCKED}
    assert grounds.says("saver", {ABSENT: False}).holding() == {LOCKED}
    assert grounds.says("saver", {LOCKED: False}).holding() == frozenset()
    assert Grounds().says("saver", {LOCKED: False}).loses("saver").holding() == frozenset()


def test_nothing_is_open_before_every_place_has_answered_or_had_its_time() -> None:
    """Two places: after one has answered it still waits; after both, or when the time is over, it does not."""
    grounds = Grounds(awaited=frozenset({"SYSTEM", "SESSION"})).settles("SYSTEM")
    assert grounds.holding() == {Automatic.NOT_TOLD_YET}
    assert grounds.settles("SESSION").holding() == grounds.settles().holding() == frozenset()


def test_a_cause_of_the_budget_is_no_exemption_and_is_believed_as_one() -> None:
    """Battery going down: it spares, and exempts nobody; its source's death takes it not away, its next word does."""
    grounds = Grounds().says("battery", {Automatic.BATTERY_LOW: False, Cause.BATTERY_GOING: True})
    for each in (grounds, grounds.loses("battery")):
        assert not each.holding()
        assert each.sparing() == {Cause.BATTERY_GOING}
    assert grounds.loses("battery").says("battery", {Cause.BATTERY_GOING: False}).sparing() == frozenset()


def test_what_cannot_be_told_is_said_in_words() -> None:
    """Nothing here: every ground that sources tell of, and what nothing can tell. Everything here: only the latter."""
    assert unknowns(Grounds().untold()) == (*UNTOLD.values(), *NEVER_TOLD)
    assert unknowns(Grounds().says("all", dict.fromkeys(Automatic, False)).untold()) == NEVER_TOLD
    assert set(UNTOLD) == set(TOLD) - {Automatic.UNPLUGGED, Automatic.LINK_UNKNOWN}


def test_programs_are_known_by_name_also_where_the_kernel_cuts_it() -> None:
    """x11vnc controls, OBS shares, an editor does neither; `TeamViewer_Desktop` is `teamviewer_desk` to the kernel."""
    assert grounds_of(frozenset({"x11vnc", "obs", "mousepad"})) == {Automatic.REMOTE_CONTROLLED, Automatic.SCREEN_SHARED}
    assert grounds_of(frozenset({"teamviewer_desktop"[:LONGEST_KERNEL_NAME]})) == {Automatic.REMOTE_CONTROLLED}
    assert grounds_of(frozenset({"mousepad", "xdotool", "x11", ""})) == frozenset()
    assert all(name == name.lower() for name in CONTROLLING | SHARING)
