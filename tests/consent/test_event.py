"""What an event says of itself: counts only coarsely, its day by UTC, and never what it holds."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from consent.event import PAYLOADS, Bucket, Button, Clocks, Event, PointerButton
from consent.vocabulary import Kind, SurfaceId

BOUNDS = [(0, "0"), (1, "1"), (2, "2-4"), (4, "2-4"), (5, "5-8"), (8, "5-8"), (9, "9-16"), (16, "9-16"), (17, "17-32"), (32, "17-32")]


@pytest.mark.parametrize(("count", "bucket"), [*BOUNDS, (33, "33+"), (10**6, "33+")])
def test_a_count_of_keys_is_only_a_bucket(count: int, bucket: str) -> None:
    assert Bucket.of(count) == bucket


def test_a_day_is_that_of_utc() -> None:
    """One millisecond before midnight is the day before, wherever the computer stands."""
    midnight_ms = 1_800_057_600_000
    assert Clocks(0, 0, midnight_ms).day.isoformat() == "2027-01-16"
    assert Clocks(0, 0, midnight_ms - 1).day.isoformat() == "2027-01-15"


def test_an_event_shows_its_kind_and_count_and_nothing_else() -> None:
    event = Event(SurfaceId("editor"), 1, Clocks(1, 2, 3), 1, 4, PointerButton(5, 6, Button.LEFT, True))
    assert (event.kind, repr(event)) == (Kind.POINTER_BUTTON, "<Event pointer_button n=4>")
    assert repr(event.payload) == "<PointerButton>"
    assert {payload.kind for payload in PAYLOADS} == set(Kind)


def test_nothing_in_an_event_is_without_a_bound() -> None:
    """Every text and every list, of every payload and of the event itself, has a longest length."""

    def without(of: Any, name: str) -> Iterator[str]:
        if isinstance(of, msgspec.inspect.StructType):
            for field in of.fields:
                yield from without(field.type, f"{name}.{field.name}")
        elif isinstance(of, msgspec.inspect.UnionType):
            for each in of.types:
                yield from without(each, name)
        elif isinstance(of, msgspec.inspect.VarTupleType):
            yield from [name] if of.max_length is None else without(of.item_type, name)
        elif isinstance(of, msgspec.inspect.StrType | msgspec.inspect.BytesType):
            yield from [name] if of.max_length is None else []
        else:
            closed = msgspec.inspect.IntType | msgspec.inspect.BoolType | msgspec.inspect.EnumType | msgspec.inspect.NoneType
            assert isinstance(of, closed), f"{name} is of a sort that this test does not know"

    assert list(without(msgspec.inspect.type_info(Event), "event")) == []
    assert list(without(msgspec.inspect.type_info(tuple[str, ...]), "it")) == ["it"]


@pytest.mark.parametrize("length", [63, 64])
def test_a_surface_is_named_as_a_policy_can(length: int) -> None:
    """As long as the longest id of a policy, and no longer."""
    raw = ["a" * length, 1, [1, 2, 3], 1, 1, ["secure_input"]]
    if length == 63:
        assert msgspec.convert(raw, Event).surface == "a" * 63
    else:
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(raw, Event)
