"""How the consent code is drawn: digits of three by five squares, in groups of three. Pure.

It is drawn and not written: what stands as text in a menu or a window's properties is read by any program over the session bus.
"""

_GLYPHS = {
    "0": ("###", "# #", "# #", "# #", "###"),
    "1": (" # ", "## ", " # ", " # ", "###"),
    "2": ("###", "  #", "###", "#  ", "###"),
    "3": ("###", "  #", "###", "  #", "###"),
    "4": ("# #", "# #", "###", "  #", "  #"),
    "5": ("###", "#  ", "###", "  #", "###"),
    "6": ("###", "#  ", "###", "# #", "###"),
    "7": ("###", "  #", " # ", " # ", " # "),
    "8": ("###", "# #", "###", "# #", "###"),
    "9": ("###", "# #", "###", "  #", "###"),
}
_SQUARES_WIDE, _SQUARES_HIGH = 3, 5
_STEP, _GROUP, _GROUP_GAP = _SQUARES_WIDE + 1, 3, 2
SQUARE_PX = 8
"""A digit is 24 by 40 pixels: read from an arm's length on a small screen."""


def squares(code: str) -> tuple[tuple[int, int], ...]:
    """Column and row of every square that is inked. What is no digit leaves its place empty."""
    found = []
    for place, digit in enumerate(code):
        rows = _GLYPHS.get(digit, ())
        found += [(_column(place) + x, y) for y, row in enumerate(rows) for x, ink in enumerate(row) if ink == "#"]
    return tuple(found)


def extent(code: str) -> tuple[int, int]:
    """How many squares wide and high it is."""
    return (_column(len(code) - 1) + _SQUARES_WIDE if code else 0), _SQUARES_HIGH


def read(inked: frozenset[tuple[int, int]], length: int) -> str | None:
    """The code of which exactly these squares are inked; None if it is of no code of this length. For whoever looks at a picture of it."""
    code = ""
    for place in range(length):
        for digit in _GLYPHS:
            left = _column(place)
            if {(x, y) for x, y in inked if left <= x < left + _SQUARES_WIDE} == set(_at(place, digit)):
                code += digit
    return code if len(code) == length and frozenset(squares(code)) == inked else None


def _at(place: int, digit: str) -> tuple[tuple[int, int], ...]:
    return tuple((_column(place) + x, y) for y, row in enumerate(_GLYPHS[digit]) for x, ink in enumerate(row) if ink == "#")


def _column(place: int) -> int:
    return place * _STEP + place // _GROUP * _GROUP_GAP
