"""What is typed cannot be told from what was not: two texts of the same shape make the same bytes."""

from hypothesis import given
from hypothesis import strategies as st

from collectors.pipe import encode
from consent.event import FieldRole
from tests.collectors.stage import Stage

CHARACTERS = ["a", "s", "z", "1", "space", "semicolon"]
TYPED = st.lists(st.tuples(st.sampled_from(CHARACTERS), st.sampled_from([(), ("Shift",), ("AltGr",)]), st.integers(0, 1_500)), max_size=30)


def _said(typed: list[tuple], swap: dict[str, str]) -> bytes:
    stage = Stage().in_editor(FieldRole.ENTRY)
    for name, modifiers, wait_ms in typed:
        stage.strike(*modifiers, swap[name])
        stage.later(wait_ms)
    stage.settle()
    return b"".join(encode(message) for message in stage.told)


@given(typed=TYPED, order=st.permutations(CHARACTERS))
def test_two_texts_with_the_same_rhythm_make_the_same_bytes(typed: list[tuple], order: list[str]) -> None:
    """Letters, digits, signs and space, with Shift and AltGr: exchanged for each other, nothing changes."""
    same = dict(zip(CHARACTERS, CHARACTERS, strict=True))
    assert _said(typed, same) == _said(typed, dict(zip(CHARACTERS, order, strict=True)))


@given(typed=TYPED, jitter=st.lists(st.integers(0, 5), min_size=30, max_size=30))
def test_no_key_has_a_time_of_its_own(typed: list[tuple], jitter: list[int]) -> None:
    """Within one burst, when each key came makes no difference as long as first and last stay in their quarter seconds."""

    def said(waits_ms: list[int]) -> bytes:
        stage = Stage().in_editor()
        begin_ms = stage.ms
        for (name, _, _), wait_ms in zip(typed, waits_ms, strict=False):
            stage.strike(name)
            stage.ms += wait_ms
        stage.ms = begin_ms + 900  # nowhere a second without a key
        if typed:
            stage.strike("a")
        stage.settle()
        return b"".join(encode(message) for message in stage.told)

    assert said([3] * 30) == said(jitter)
