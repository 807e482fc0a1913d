"""The X server's own fonts, for windows that we draw ourselves."""

from typing import Any

_FONTS = ("-*-helvetica-medium-r-normal--14-*-*-*-*-*-iso8859-1", "-*-dejavu sans-medium-r-normal--14-*-*-*-*-*-iso8859-1", "fixed")


def open_font(display: Any) -> Any:
    """The first of our fonts that this X server has. Raises OSError if it has none."""
    for name in _FONTS:
        if display.list_fonts(name, 1):
            return display.open_font(name)
    raise OSError("the X server has no font")


def latin(text: str) -> bytes:
    """Core fonts know Latin-1; what they cannot show becomes a question mark."""
    return text.replace("…", "...").encode("latin-1", "replace")
