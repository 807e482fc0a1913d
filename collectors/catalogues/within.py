"""Reading numbers and pieces of a catalogue that may be anything at all: nothing is read past its end. Pure."""

import struct

Catalogue = bytes | memoryview
"""A whole catalogue."""
LONGEST_BYTES = 1024
"""A text that is longer is no label in any encoding, and is not even decoded."""


class CatalogueError(Exception):
    """These bytes are not a catalogue of that sort."""


def numbers(form: str, data: Catalogue, at: int) -> tuple[int, ...]:
    """The numbers that stand there, `form` as in `struct`.

    Raises:
        CatalogueError: They do not stand there.
    """
    try:
        return struct.unpack_from(form, data, at)
    except struct.error as error:
        raise CatalogueError("a number stands outside of it") from error


def piece(data: Catalogue, at: int, length: int) -> memoryview:
    """So many bytes from there on; nothing is copied.

    Raises:
        CatalogueError: There are fewer.
    """
    if at < 0 or length < 0 or at + length > len(data):
        raise CatalogueError("a text stands outside of it")
    return memoryview(data)[at : at + length]


def decoded(text: memoryview, encoding: str) -> str:
    """The text, or nothing if it is too long for a label or is not in this encoding: one bad text spoils no catalogue."""
    if len(text) > LONGEST_BYTES:
        return ""
    try:
        return str(text, encoding)
    except UnicodeDecodeError:
        return ""
