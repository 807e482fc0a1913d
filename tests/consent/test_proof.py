"""The proof: what an indicator must do to be believed."""

import pytest

from consent.proof import ANSWER_WITHIN_MS, NONE, Proof
from consent.vocabulary import State

NONCE = bytes(16)
ATTACHED = Proof("one", "tray").challenge(NONCE, 100)
RIGHT = {"nonce": NONCE, "instance": "one", "visible": True, "showing": State.CONSENTED, "awake_ms": 200}


def test_an_answer_in_time_proves_what_is_shown() -> None:
    """The right nonce, instance and a visible icon: live, and showing that state; the challenge is closed."""
    proof = ATTACHED.answer(**RIGHT)  # type: ignore[arg-type]
    assert (proof.live, proof.showing, proof.open) == (True, State.CONSENTED, ())


@pytest.mark.parametrize(
    "wrong", [{"nonce": bytes([1] * 16)}, {"instance": "two"}, {"visible": False}, {"awake_ms": 100 + ANSWER_WITHIN_MS + 1}]
)
def test_any_other_answer_voids_it(wrong: dict[str, object]) -> None:
    """Another nonce, another instance, an honest "not visible" or a late answer: nothing is proven any more."""
    assert ATTACHED.answer(**(RIGHT | wrong)) is NONE  # type: ignore[arg-type]


def test_silence_is_overdue_after_a_second() -> None:
    """No answer within the time, and the proof is overdue; not a millisecond before."""
    assert not ATTACHED.overdue(100 + ANSWER_WITHIN_MS)
    assert ATTACHED.overdue(100 + ANSWER_WITHIN_MS + 1)
    assert not NONE.overdue(10**9)


def test_an_unasked_answer_voids_it() -> None:
    """An answer to no question is no proof."""
    assert Proof("one", "tray", State.CONSENTED).answer(**RIGHT) is NONE  # type: ignore[arg-type]


def test_an_attached_indicator_is_not_yet_live() -> None:
    """Being connected proves nothing."""
    assert not Proof("one", "tray").live


def test_what_was_shown_before_a_change_does_not_count_after_it() -> None:
    """Paused and resumed at once: the last answer still says that it records, but nobody has seen the pause end yet."""
    before = Proof("one", "tray", State.CONSENTED)
    first, second = bytes([1] * 16), bytes([2] * 16)
    told = before.challenge(first, 0).changed(first).challenge(second, 1).changed(second)
    assert (before.shows(State.CONSENTED), told.shows(State.CONSENTED)) == (True, False)
    halfway = told.answer(nonce=first, instance="one", visible=True, showing=State.PAUSED, awake_ms=2)
    assert not halfway.shows(State.CONSENTED)
    assert halfway.answer(nonce=second, instance="one", visible=True, showing=State.CONSENTED, awake_ms=3).shows(State.CONSENTED)
