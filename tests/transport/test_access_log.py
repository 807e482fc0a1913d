"""Everybody can read what was opened, when and why, and notices when a record is changed or left out."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from receiver.access import bounded
from receiver.access import follow as follows
from tests.receiver import stand
from tests.receiver.stand import PURPOSE, envelope
from transport.access_log import AccessLogError, Known, records_of, request
from transport.jobs import Answered, Failed, Trouble

ID = "ab" * 32
NOW = datetime(2026, 11, 21, tzinfo=UTC)


def _answer(records: object, more: bool = False) -> Answered:
    return Answered(1, 200, None, None, msgspec.json.encode({"first_previous": "0" * 64, "records": records, "more": more}))


def _chain(count: int) -> list[dict[str, object]]:
    made, last = [], None
    for number in range(count):
        last = follows(last, at=NOW, purpose=PURPOSE, reason=f"reason {number}", batches=[ID])
        made.append({name: getattr(last, name) for name in ("id", "at", "purpose", "reason", "batches", "previous", "hash")})
    return made


def test_the_log_of_a_real_receiver_is_read_and_holds(tmp_path: Path) -> None:
    """Asked for without any proof, in two parts; reason and ids are the custodians' own."""
    sealed = envelope()
    with stand.serving(stand.make(tmp_path)) as service:
        service.put(sealed)
        for reason in ("menus", "a second look \u00fc"):
            service.client.post("/v1/access", json={"purpose": PURPOSE, "reason": reason, "batches": [sealed.id]})
        first, _ = records_of(stand.answered(service.ask((request(1, service.url), b""))))
        known = Known(first[0].id, first[0].hash)
        second, more = records_of(stand.answered(service.ask((request(2, service.url, known), b""))), known)
    assert [(record.reason, record.batches) for record in first] == [("menus", (sealed.id,)), ("a second look \u00fc", (sealed.id,))]
    assert (second, more) == (first[1:], False)


def test_a_changed_log_is_noticed() -> None:
    """A reason changed, a record left out, moved, or made up; another hash than the one that is known."""
    chain = _chain(3)
    records_of(_answer(chain))
    changed = [
        [{**chain[0], "reason": "another"}, *chain[1:]],
        [chain[0], chain[2]],
        chain[1:],
        [chain[1], chain[0], chain[2]],
        [*chain, {**chain[2], "id": 4}],
    ]
    for bent in changed:
        with pytest.raises(AccessLogError, match="was changed"):
            records_of(_answer(bent))
    with pytest.raises(AccessLogError, match="was changed"):
        records_of(_answer(chain[1:]), Known(1, "cd" * 32))


def test_what_is_no_log_is_said_in_one_line() -> None:
    """No connection, another status, junk, a log without end."""
    for answer in (Failed(1, Trouble.NO_CONNECTION), Answered(1, 503, None, None, b""), Answered(1, 200, None, None, b"<html>")):
        with pytest.raises(AccessLogError, match="try again"):
            records_of(answer)
    with pytest.raises(AccessLogError, match="no end"):
        records_of(_answer([], more=True))


def test_a_page_of_the_log_is_bounded_by_the_ids_in_it() -> None:
    """Records of ten thousand ids each are handed out one by one, so that no answer is longer than an envelope may be."""
    record = follows(None, at=NOW, purpose=PURPOSE, reason="r", batches=[ID])
    assert [len(bounded([record] * 5, most)) for most in (0, 1, 3, 9)] == [1, 1, 3, 5]
    assert bounded([], 9) == []
