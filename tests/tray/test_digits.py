"""The code as it is drawn: every code can be read off its squares, and nothing else can."""

from hypothesis import given
from hypothesis import strategies as st

from agent.tray.digits import extent, read, squares

codes = st.from_regex(r"[0-9]{6}", fullmatch=True)


@given(codes)
def test_what_is_drawn_is_what_is_read(code: str) -> None:
    """Ten glyphs, told apart."""
    assert read(frozenset(squares(code)), 6) == code


@given(codes, st.data())
def test_a_square_too_many_or_too_few_is_no_code(code: str, data: st.DataObject) -> None:
    """Or it is another code, never this one."""
    inked = frozenset(squares(code))
    wide, high = extent(code)
    flipped = data.draw(st.tuples(st.integers(0, wide - 1), st.integers(0, high - 1)))
    assert read(inked ^ {flipped}, 6) != code


@given(codes)
def test_every_square_lies_within_the_extent(code: str) -> None:
    """The card is as large as it says."""
    wide, high = extent(code)
    assert all(0 <= x < wide and 0 <= y < high for x, y in squares(code))


def test_what_is_no_digit_draws_nothing() -> None:
    """And an empty code has no extent."""
    assert squares("ab") == ()
    assert extent("") == (0, 5)
