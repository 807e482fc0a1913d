"""Answers to challenges: in order, at once when known, and "not seen" when not known in time."""

from agent.tray.proofs import Proofs


def test_seen_needs_the_host_and_the_present_picture() -> None:
    """The host's yes waits for the picture to be fetched."""
    proofs = Proofs()
    proofs.add(b"a", 700).seen = True
    assert proofs.due(drawn=False, now_ms=0) == []
    assert proofs.due(drawn=True, now_ms=1) == [(b"a", True)]
    assert proofs.deadline_ms() is None


def test_not_seen_is_said_at_once() -> None:
    """A host that does not list us needs no waiting."""
    proofs = Proofs()
    proofs.add(b"a", 700).seen = False
    assert proofs.due(drawn=True, now_ms=0) == [(b"a", False)]


def test_silence_is_not_seen() -> None:
    """No word by the deadline, or no picture by the deadline: not seen."""
    proofs = Proofs()
    proofs.add(b"a", 700)
    proofs.add(b"b", 700).seen = True
    assert proofs.due(drawn=False, now_ms=699) == []
    assert proofs.due(drawn=False, now_ms=700) == [(b"a", False), (b"b", False)]


def test_answers_keep_the_order_of_the_questions() -> None:
    """A later challenge never overtakes an earlier one."""
    proofs = Proofs()
    first, second = proofs.add(b"a", 700), proofs.add(b"b", 700)
    second.seen = True
    assert proofs.due(drawn=True, now_ms=0) == []
    first.seen = True
    assert proofs.due(drawn=True, now_ms=0) == [(b"a", True), (b"b", True)]


def test_a_broken_connection_takes_its_challenges_along() -> None:
    """A new connection answers no old question."""
    proofs = Proofs()
    proofs.add(b"a", 700).seen = True
    proofs.clear()
    assert proofs.due(drawn=True, now_ms=0) == []
