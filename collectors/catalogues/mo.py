"""GNU gettext's message catalogues (.mo), as the gettext manual has them (10.3, The Format of GNU MO Files). Pure.

Only in UTF-8, as Debian's are: of another encoding nothing is read.
"""

from collections.abc import Iterator

from collectors.catalogues.within import Catalogue, CatalogueError, decoded, numbers, piece

_ORDERS = {b"\xde\x12\x04\x95": "<", b"\x95\x04\x12\xde": ">"}
_CONTEXT, _FORMS = "\x04", "\x00"
_ENTRY_BYTES = 8
_HEADER_BYTES = 28
_HEADER_TEXT_BYTES = 8192
"""How much is read of what a catalogue says of itself; those of Debian 12 say so within 900 bytes."""
_NEWEST_MAJOR = 1
_CHARSETS = ("charset=utf-8", "charset=utf8", "charset=us-ascii", "charset=ascii", "charset=charset")  # the last: of a template
NOT_LABELS = frozenset({"", "translator-credits", "translator_credits", "translators", "Your names", "Your emails"})
"""Their translations are the names of people, and what a catalogue says of itself."""


def count(header: bytes) -> int:
    """How many messages a catalogue has, by its first 28 bytes.

    Raises:
        CatalogueError: It is none.
    """
    return _tables(header)[1]


def texts(data: Catalogue, *, translations: bool = True) -> Iterator[str]:
    """All that this catalogue can make an interface show: its messages in the source language and, if asked, as translated.

    Contexts are cut off; plural forms are texts of their own.

    Raises:
        CatalogueError: These bytes are no such catalogue; what came before that is of it.
    """
    order, messages, sources, translated = _tables(data)
    for table in (sources, translated):
        piece(data, table, messages * _ENTRY_BYTES)
    _check_encoding(data, order, messages, sources, translated)
    for number in range(messages):
        source = _text(data, order, sources, number).rpartition(_CONTEXT)[2]
        first = source.partition(_FORMS)[0]
        yield from filter(None, source.split(_FORMS))
        if translations and first not in NOT_LABELS:
            yield from filter(None, _text(data, order, translated, number).split(_FORMS))


def _tables(data: Catalogue) -> tuple[str, int, int, int]:
    """The byte order, how many messages there are, and where the two tables begin."""
    order = _ORDERS.get(bytes(data[:4]))
    if order is None or len(data) < _HEADER_BYTES:
        raise CatalogueError("it does not begin as a .mo does")
    revision, messages, sources, translated = numbers(f"{order}4I", data, 4)
    if revision >> 16 > _NEWEST_MAJOR:
        raise CatalogueError("it is of a later form")
    return order, messages, sources, translated


def _text(data: Catalogue, order: str, table: int, number: int) -> str:
    length, at = numbers(f"{order}2I", data, table + number * _ENTRY_BYTES)
    return decoded(piece(data, at, length), "utf-8")


def _check_encoding(data: Catalogue, order: str, messages: int, sources: int, translated: int) -> None:
    """The first message, the empty one, says how the others are encoded; where it does not stand, it is taken for UTF-8."""
    if not messages or numbers(f"{order}I", data, sources)[0]:
        return
    length, at = numbers(f"{order}2I", data, translated)
    said = bytes(piece(data, at, length)[:_HEADER_TEXT_BYTES]).lower()
    if b"charset=" in said and not any(name.encode() in said for name in _CHARSETS):
        raise CatalogueError("it is not in UTF-8")
