"""The hold's file format: what survives a crash, and what a flipped bit costs."""

import random

import pytest

from consent.vocabulary import Purpose
from tests.transport.makers import STUDY, a_day_at_work
from transport.segment import (
    HEADER_BYTES,
    SLOT_BYTES,
    Damaged,
    Heading,
    SegmentError,
    Unfinished,
    WrongHoldKey,
    read,
    record,
    slot_at,
    start,
    wrap,
)

KEY, OTHER = b"k" * 32, b"o" * 32
HEADING = Heading(b"i" * 16, 7, 60, "0f8fad5b-d9cb-469f-a165-70867728950e", STUDY, b"s" * 32)
EVENTS = a_day_at_work(60, seed=3)
PARTS = [EVENTS[:20], EVENTS[20:21], EVENTS[21:]]


def _segment() -> bytes:
    records = [record(HEADING, index, part) for index, part in enumerate(PARTS)]
    return start(HEADING, KEY, b"n" * 12, b"f" * SLOT_BYTES) + b"".join(records)


def test_what_was_recorded_is_read() -> None:
    """Heading and events come back, in order; the heading does not show its key."""
    contents = read(_segment(), KEY)
    assert contents.heading == HEADING
    assert list(contents.events) == EVENTS
    assert "ssss" not in repr(contents.heading)


def test_nothing_of_an_event_is_readable_at_rest() -> None:
    """Neither surfaces nor purpose nor the start of the machine stand in the file."""
    raw = _segment()
    for word in (b"editor", b"mail", b"pointer", STUDY.encode(), HEADING.boot.encode()):
        assert word not in raw


def test_a_tail_torn_at_any_byte_costs_only_the_unfinished_record() -> None:
    """Cut anywhere, exactly the records that were whole are read; a cut within the header says that nothing was kept."""
    raw = _segment()
    ends = [len(raw) - sum(len(record(HEADING, index, PARTS[index])) for index in range(skip, 3)) for skip in range(4)]
    for cut in range(len(raw)):
        if cut < HEADER_BYTES:
            with pytest.raises(Unfinished):
                read(raw[:cut], KEY)
            continue
        contents = read(raw[:cut], KEY)
        assert len(contents.records) == sum(end <= cut for end in ends[1:])
        assert contents.good_bytes == max(end for end in ends if end <= cut)


def test_a_file_that_grew_before_its_bytes_came_is_torn_and_not_damaged() -> None:
    """Zeros where the last record, or its end, or a sector in its middle was never written are a torn tail."""
    raw = _segment()
    last = len(raw) - len(record(HEADING, 2, PARTS[2]))
    assert len(raw) - last > 1200
    hole = (last + 600) - (last + 600) % 512
    for begin, end in (
        (last, len(raw)),
        (last + 3, len(raw)),
        (last + 40, len(raw)),
        (len(raw) - len(raw) % 512, len(raw)),
        (hole, hole + 512),
    ):
        contents = read(raw[:begin] + bytes(end - begin) + raw[end:], KEY)
        assert len(contents.records) == 2, (begin, end)
    assert len(read(raw + bytes(4096), KEY).records) == 3


def test_a_flipped_bit_anywhere_in_the_records_makes_the_segment_unfit() -> None:
    """No flipped bit is mistaken for a torn tail, or for an event."""
    raw = _segment()
    rng = random.Random(4)
    for _ in range(400):
        at = rng.randrange(HEADER_BYTES, len(raw) - 8)
        flipped = bytearray(raw)
        flipped[at] ^= 1 << rng.randrange(8)
        with pytest.raises(Damaged):
            read(bytes(flipped), KEY)


@pytest.mark.parametrize("at", [0, 8, 30, slot_at(0), slot_at(0) + 100])
def test_a_flipped_bit_in_the_header_opens_nothing(at: int) -> None:
    """Magic, id, generation, minute and the slot in use are all bound: no change of them is believed."""
    flipped = bytearray(_segment())
    flipped[at] ^= 1
    with pytest.raises((Damaged, WrongHoldKey)):
        read(bytes(flipped), KEY)


def test_records_do_not_change_places() -> None:
    """A record is bound to its index: two whole records in the wrong order are damage."""
    raw = start(HEADING, KEY, b"n" * 12, b"f" * SLOT_BYTES) + record(HEADING, 1, PARTS[0]) + record(HEADING, 0, PARTS[1])
    with pytest.raises(Damaged):
        read(raw, KEY)


def test_a_segment_reads_under_the_old_or_the_new_hold_key_while_it_changes_hands() -> None:
    """Writing the free slot leaves the used one valid, so a crash between the two loses nothing."""
    raw = bytearray(_segment())
    raw[slot_at(1) : slot_at(1) + SLOT_BYTES] = wrap(HEADING, OTHER, b"m" * 12)
    assert read(bytes(raw), KEY).heading.slot == 0
    assert read(bytes(raw), OTHER).heading.slot == 1
    assert read(bytes(raw), OTHER).events == read(bytes(raw), KEY).events
    with pytest.raises(WrongHoldKey):
        read(bytes(raw), b"x" * 32)


def test_a_name_that_is_too_long_is_refused_when_written() -> None:
    """A purpose that would not fit its field is an error, and not a shorter purpose."""
    with pytest.raises(SegmentError):
        wrap(Heading(b"i" * 16, 1, 1, "boot", Purpose("p" * 65), b"s" * 32), KEY, b"n" * 12)
