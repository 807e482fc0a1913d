"""What the receiver says of its purposes to anyone, and what it does not."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.receiver import stand
from transport.jobs import Answered, Failed, Trouble
from transport.retrieving import RetrievalError, epochs, purposes_of

TODAY = datetime.now(UTC).date()
_ADD = "INSERT INTO batch (id, pseudonym, purpose, envelope_bytes, stored_on, keep_until, erased) VALUES (?, ?, ?, 5000, ?, ?, ?)"


def test_present_purposes_and_those_of_which_something_is_left(tmp_path: Path) -> None:
    """By name, with the days that it is kept; not whether, how much or when anything came; nothing of what is erased."""
    directory = stand.make(tmp_path)
    rows = [
        ("a" * 64, b"a" * 32, "before", TODAY - timedelta(days=9), TODAY + timedelta(days=51), False),
        ("b" * 64, b"b" * 32, "before", TODAY - timedelta(days=2), TODAY + timedelta(days=28), False),
        ("c" * 64, b"c" * 32, "unwritten", TODAY - timedelta(days=5), None, False),
        ("d" * 64, b"d" * 32, "over", TODAY - timedelta(days=5), TODAY + timedelta(days=9), True),
    ]
    with closing(sqlite3.connect(directory / "volens.db")) as connection, connection:
        connection.executemany(_ADD, [(*row[:3], str(row[3]), row[4] and str(row[4]), row[5]) for row in rows])
    with stand.serving(directory) as service:
        said = service.client.get("/v1/purposes").json()
    assert said == {
        "purposes": [
            {"name": "before", "retention_days": 60},
            {"name": stand.PURPOSE, "retention_days": 30},
            {"name": "unwritten", "retention_days": 5},
        ],
        "late_days": 31,
    }


def test_every_epoch_of_which_something_may_be_there_is_asked_for() -> None:
    """Each day from the oldest that may have been sealed to tomorrow, each purpose, each consent; none before the first wanted."""
    body = b'{"purposes": [{"name": "a", "retention_days": 3}, {"name": "b", "retention_days": 1}], "late_days": 2}'
    said = purposes_of(Answered(1, 200, None, None, body))
    found = epochs(said, today=TODAY, first=None, consents=[2, 1, 2])
    assert len(found) == len(set(found)) == 2 * (7 + 5)
    assert {one.day for one in found if one.purpose == "a"} == {TODAY + timedelta(days=n) for n in range(-5, 2)}
    late = epochs(said, today=TODAY, first=TODAY, consents=[1])
    assert {one.day for one in late} == {TODAY, TODAY + timedelta(days=1)}


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b'{"purposes": [], "late_days": 1e9}', b'{"purposes": [{"name": "../x", "retention_days": 1}], "late_days": 1}'],
)
def test_an_answer_that_is_none_is_not_believed(body: bytes) -> None:
    """A number of days that would be asked for without end, or a name that is none, least of all."""
    with pytest.raises(RetrievalError, match="does not say which purposes it has"):
        purposes_of(Answered(1, 200, None, None, body))
    with pytest.raises(RetrievalError, match="cannot be reached"):
        purposes_of(Failed(1, Trouble.NO_CONNECTION))
