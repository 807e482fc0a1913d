"""What a batch carries, what it costs, and what it refuses."""

import hashlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.event import Button, Clipboard, Element, Event, KeyChord, Modifier, Payload, PointerButton
from consent.vocabulary import Kind
from consent.words import ChosenBy, ClipboardAct, ClipboardKind, ElementRole, SizeBucket
from tests.transport.makers import CARE, STUDY, a_day_at_work, admit, click, events
from transport.batch import MAX_EVENTS, MAX_SEGMENTS, MAX_UNPACKED_BYTES, BatchError, Source, pack, unpack
from transport.compress import compress, decompress
from transport.envelope import MAX_PAYLOAD_BYTES

SOURCE = Source(3, hashlib.sha256(b"receipt").digest(), (b"s" * 16,))


@given(st.lists(events(), min_size=1, max_size=40))
def test_every_event_comes_back_exactly(made: list[Event]) -> None:
    """Packing and unpacking any admitted events, of every payload type, gives the same events in the same order."""
    batch = unpack(pack(admit(made), source=SOURCE))
    assert list(batch.events) == made
    assert batch.facts.source == SOURCE
    assert batch.facts.purpose == STUDY
    assert batch.facts.n == sum(event.n for event in made)
    assert sum(batch.facts.events_by_kind.values()) == len(made)


def test_a_realistic_event_costs_a_few_bytes(capsys: pytest.CaptureFixture[str]) -> None:
    """5,000 events of a seeded day pack into less than 6 bytes each; bench/ measures the real number."""
    payload = pack(admit(a_day_at_work(5000, seed=1)), source=SOURCE)
    print(f"{len(payload) / 5000:.2f} bytes an event")
    assert len(payload) < 6 * 5000


def test_the_largest_batch_fits_an_envelope_even_if_nothing_compresses() -> None:
    """MAX_EVENTS events with numbers as far apart as their types allow stay within an envelope's payload."""
    wild = [
        msgspec.structs.replace(event, window=place * 2654435761 % 2**32, n=place * 40503 % 2**32)
        for place, event in enumerate(a_day_at_work(MAX_EVENTS, seed=2))
    ]
    source = Source(
        3, SOURCE.receipt_commitment, tuple(hashlib.sha256(bytes([i % 256, i // 256])).digest()[:16] for i in range(MAX_SEGMENTS))
    )
    assert len(pack(admit(wild), source=source)) < MAX_PAYLOAD_BYTES


def test_events_of_two_purposes_make_no_batch() -> None:
    """A batch has one purpose, because its key has one."""
    mixed = admit([click(1)]) + admit([click(2)], {Kind.POINTER_BUTTON: CARE})
    with pytest.raises(BatchError, match="one purpose"):
        pack(mixed, source=SOURCE)


@pytest.mark.parametrize("count", [0, MAX_EVENTS + 1])
def test_a_batch_has_bounds(count: int) -> None:
    """No events, or one more than MAX_EVENTS, are refused before anything is packed."""
    with pytest.raises(BatchError, match="events"):
        pack(admit([click(1)]) * count, source=SOURCE)


def _altered(change: Any) -> bytes:
    raw = msgspec.msgpack.decode(decompress(pack(admit([click(1), click(2)]), source=SOURCE), MAX_UNPACKED_BYTES))
    change(raw)
    return compress(msgspec.msgpack.encode(raw))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda raw: raw["facts"].update(n=99), "what it says"),
        (lambda raw: raw["facts"].update(events_by_kind={"gap": 2}), "what it says"),
        (lambda raw: raw["facts"].update(format=3), "format 3"),
        (lambda raw: raw["facts"].update(extra=1), "unknown"),
        (lambda raw: raw["facts"]["source"].update(receipt_commitment=b"short"), "out of range"),
        (lambda raw: raw["columns"]["tables"][0].update(kind="screenshot"), "out of range"),
        (lambda raw: raw["columns"].update(kind=[0, 1]), "tables"),
        (lambda raw: raw["columns"].update(kind=[0]), "length"),
        (lambda raw: raw["columns"].update(kind=[0] * (MAX_EVENTS + 1)), "more events"),
        (lambda raw: raw["columns"].update(n=[1]), "length"),
        (lambda raw: raw["columns"].update(n=[-1, 0]), "out of range"),
        (lambda raw: raw["columns"].update(surface=[["editor"], [0, 1]]), "not there"),
        (lambda raw: raw["columns"].update(surface=[["editor"], [0, -1]]), "not there"),
        (lambda raw: raw["columns"]["tables"][0].update(numbers=[]), "columns of its kind"),
        (lambda raw: raw["columns"]["tables"][0].update(numbers=[[0, 0], [99_999, 0], *[[0, 0]] * 3]), "out of range"),
        (lambda raw: raw["columns"]["tables"][0].update(lists=[[[0, 0], []]]), "columns of its kind"),
        (lambda raw: raw["columns"]["tables"][0]["words"][0].__setitem__(0, ["a word of its own"]), "out of range"),
        (lambda raw: raw.pop("columns"), "missing"),
    ],
)
def test_what_is_not_exactly_a_batch_is_refused(change: Any, words: str) -> None:
    """Wrong counts, unknown fields, kinds or words, columns that do not fit together and numbers out of range do not unpack."""
    with pytest.raises(BatchError, match=words):
        unpack(_altered(change))


@pytest.mark.parametrize("column", ["surface", "modifiers", "trigger", "label", "kinds"])
def test_a_small_batch_does_not_open_as_gigabytes(column: str) -> None:
    """A value of megabytes that compresses to nothing, said once and meant by thousands of rows, is refused in each column of words."""
    payload = {
        "surface": PointerButton(1, 2, Button.LEFT, True),
        "modifiers": KeyChord((Modifier.CTRL,), "s"),
        "trigger": KeyChord((Modifier.CTRL,), "s"),
        "label": Element(ElementRole.OPTION, 0, 0, 0, 0, 0, ChosenBy.CLICK, "Save"),
        "kinds": Clipboard(ClipboardAct.COPY, (ClipboardKind.TEXT,), SizeBucket.NONE),
    }[column]
    event = msgspec.structs.replace(click(1), payload=payload)
    raw = msgspec.msgpack.decode(decompress(pack(admit([event] * 4_000), source=SOURCE), MAX_UNPACKED_BYTES))
    words = {"surface": raw["columns"]["surface"]} if column == "surface" else _words_of(raw, payload)
    (value,) = words[column][0]
    words[column][0] = [value * 300_000 if isinstance(value, list) else "x" * 3_000_000]
    small = compress(msgspec.msgpack.encode(raw))
    assert len(small) < 2_000
    with pytest.raises(BatchError, match="out of range"):
        unpack(small)


def _words_of(raw: Any, payload: Payload) -> dict[str, Any]:
    """The columns of words in the only table of a batch, by the name of their field."""
    names = [name for name in payload.__struct_fields__ if not isinstance(getattr(payload, name), int)]
    return dict(zip(names, raw["columns"]["tables"][0]["words"], strict=True))


@given(st.binary(max_size=200))
def test_any_bytes_end_in_a_batch_error(junk: bytes) -> None:
    """Bytes that are no batch raise BatchError, and nothing else."""
    with pytest.raises(BatchError):
        unpack(junk)
    with pytest.raises(BatchError):
        unpack(compress(junk))


def test_a_bomb_is_not_inflated() -> None:
    """A few bytes that inflate beyond the bound are refused."""
    with pytest.raises(BatchError, match="inflate"):
        unpack(compress(bytes(MAX_UNPACKED_BYTES + 1)))


def test_a_cut_or_prolonged_payload_is_refused() -> None:
    """One byte less, or one byte more, is not a batch."""
    payload = pack(admit([click(1)]), source=SOURCE)
    for wrong in (payload[:-1], payload + b"\0", payload + payload):
        with pytest.raises(BatchError):
            unpack(wrong)


def test_an_opened_batch_does_not_show_itself() -> None:
    """The repr of a batch holds a count and nothing of its events."""
    assert repr(unpack(pack(admit([click(1, surface="mail")]), source=SOURCE))) == "<Batch of 1 events>"
