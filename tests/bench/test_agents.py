"""The fleet's bench knows a loss when there is one."""

from collections import Counter

import pytest

from bench.agents.figures import lost
from bench.agents.fleet import Account
from bench.agents.ground import Stored

IDS = ("a", "b", "c")


def _stored(*ids: str, sound: int = 3, unfinished: int = 0) -> Stored:
    return Stored(Counter(ids), Counter(ids), sound, unfinished, 0)


def test_all_stored_once_is_no_loss() -> None:
    """Acknowledged or not: what was made is there."""
    assert lost(Account(made=list(IDS), acknowledged=Counter("ab")), _stored(*IDS)) == []


@pytest.mark.parametrize(
    ("stored", "words"),
    [
        (_stored("a", "c", sound=2), "1 acknowledged ids are not in the bodies exactly once"),
        (_stored("a", "b", sound=2), "1 made ids are not in the slots exactly once"),
        (_stored(*IDS, "a"), "exactly once"),
        (_stored(*IDS, "x"), "1 stored ids were never made"),
        (_stored(*IDS, sound=2), "2 sound"),
        (_stored(*IDS, unfinished=1), "1 unfinished"),
    ],
)
def test_every_kind_of_loss_is_said(stored: Stored, words: str) -> None:
    """Missing, twice, never made, damaged, half."""
    assert any(words in each for each in lost(Account(made=list(IDS), acknowledged=Counter("ab")), stored))
