"""What the ledger's lines add up to: each word of the subject's, to the letter."""

import pytest

from consent.event import Clocks
from consent.history import HOLD_CHOSEN, HOURS_CHOSEN, NEVER, PURGED, Choice, Line, add, fold
from consent.holding import Change, Holding
from consent.hours import NO_HOURS, Hours
from consent.ledger import Entry
from consent.pause import Pause
from consent.standing import Happening, StandingError
from consent.vocabulary import State

FIRST, SECOND, THIRD = Clocks(1, 2, 3), Clocks(11, 12, 13), Clocks(21, 22, 23)


def line(what: str, at: Clocks = FIRST, **data: object) -> Line:
    return Entry(0, what, at, "this start", data, "")


YES = line(Happening.CONSENT_GIVEN, receipt="the receipt", before_s=77)
CONSENTED = Choice(
    state=State.CONSENTED,
    since=FIRST,
    receipt="the receipt",
    consents=1,
    holding=Holding(None, True, (Change(FIRST, "this start", 77),)),
)


def test_a_yes_is_all_of_its_line() -> None:
    """Receipt, instant, number, and the hold that was in force before it."""
    assert fold([YES]) == CONSENTED
    assert fold([]) == Choice(State.UNASKED, NEVER, None, None, 0, False, Holding(None, True, ()), None)


@pytest.mark.parametrize(("minutes", "promised"), [(30, 30), (None, None), ("30", None)])
def test_a_pause_is_as_long_as_its_line_says(minutes: object, promised: int | None) -> None:
    """What is no number is a pause until resumed."""
    paused = fold([YES, line(Happening.PAUSE_ASKED, SECOND, minutes=minutes)])
    assert paused.pause == Pause(promised, SECOND, "this start")
    assert (paused.state, paused.since, paused.receipt) == (State.PAUSED, SECOND, "the receipt")


def test_since_is_when_the_state_was_last_another() -> None:
    """A second pause, and a second yes, are no other state."""
    once = fold([YES, line(Happening.PAUSE_ASKED, SECOND, minutes=30)])
    again = add(once, line(Happening.PAUSE_ASKED, THIRD, minutes=15))
    assert (once.since, again.since, again.pause) == (SECOND, SECOND, Pause(15, THIRD, "this start"))
    yes_again = fold([YES, line(Happening.CONSENT_GIVEN, SECOND, receipt="another")])
    assert (yes_again.since, yes_again.receipt, yes_again.consents) == (FIRST, "another", 1)


def test_a_resume_ends_the_pause_and_nothing_else() -> None:
    resumed = fold([YES, line(Happening.PAUSE_ASKED, SECOND, minutes=30), line(Happening.RESUME_ASKED, THIRD)])
    assert (resumed.pause, resumed.state, resumed.since, resumed.receipt) == (None, State.CONSENTED, THIRD, "the receipt")


def test_a_withdrawal_owes_a_purge_until_it_is_said_to_be_done() -> None:
    """Receipt and pause go with it; the number of consents stays, and rises with the next yes."""
    paused = fold([YES, line(Happening.PAUSE_ASKED, SECOND, minutes=30)])
    no = add(paused, line(Happening.WITHDRAWN, THIRD))
    assert (no.state, no.since, no.receipt, no.pause, no.purge_owed, no.consents) == (State.WITHDRAWN, THIRD, None, None, True, 1)
    purged = add(no, line(PURGED, THIRD))
    assert purged.purge_owed is False
    assert (purged.state, purged.consents) == (State.WITHDRAWN, 1)
    assert add(purged, YES).consents == 2


@pytest.mark.parametrize(("data", "seconds"), [({"seconds": 900, "before_s": 86400}, (900, 86400)), ({"seconds": "x"}, (0, 0))])
def test_a_chosen_hold_is_what_its_line_says(data: dict[str, object], seconds: tuple[int, int]) -> None:
    """What is no number of seconds is none."""
    chosen = fold([YES, line(HOLD_CHOSEN, SECOND, **data)])
    assert chosen.holding == Holding(seconds[0], False, (*CONSENTED.holding.changes, Change(SECOND, "this start", seconds[1])))
    assert (chosen.state, chosen.receipt) == (State.CONSENTED, "the receipt")


def test_chosen_hours_are_what_their_line_says() -> None:
    """Hours that do not read hold at no time; null is those of the yes."""
    chosen = fold([YES, line(HOURS_CHOSEN, hours="mon 09:00-10:00 UTC")])
    assert chosen.hours == Hours(frozenset({0}), 540, 600, "UTC")
    assert add(chosen, line(HOURS_CHOSEN, hours="whenever")).hours == NO_HOURS
    assert add(chosen, line(HOURS_CHOSEN, hours=None)).hours is None
    assert (chosen.state, chosen.receipt) == (State.CONSENTED, "the receipt")


def test_lines_that_are_no_happening_change_nothing() -> None:
    assert add(CONSENTED, line("sent", SECOND, id="x")) is CONSENTED


def test_what_cannot_have_happened_is_refused_in_words() -> None:
    with pytest.raises(StandingError, match=r"^resume_asked cannot happen while unasked$"):
        fold([line(Happening.RESUME_ASKED)])
