"""Qt's message catalogues (.qm), as Qt's own `qtranslator.cpp` reads them. Pure."""

from collections.abc import Iterator

from collectors.catalogues.within import Catalogue, CatalogueError, decoded, numbers, piece

MAGIC = bytes.fromhex("3cb86418caef9c95cd211cbf60a1bddd")
_MESSAGES = 0x69
_END, _SOURCE_16, _TRANSLATION, _HASH, _SOURCE = 1, 2, 3, 5, 6
_SKIPPED = frozenset({4, 7, 8, 9})  # contexts, comments, and one that no longer means anything
_TEXTS = {_SOURCE_16: "utf-16-be", _TRANSLATION: "utf-16-be", _SOURCE: "utf-8"}
_NONE = 0xFFFFFFFF
"""In the place of a length: there is no such text."""


def texts(data: Catalogue, *, translations: bool = True) -> Iterator[str]:
    """All that this catalogue can make an interface show: its source texts, where it has them, and, if asked, their translations.

    Raises:
        CatalogueError: These bytes are no such catalogue; what came before that is of it.
    """
    if bytes(data[: len(MAGIC)]) != MAGIC:
        raise CatalogueError("it does not begin as a .qm does")
    at = len(MAGIC)
    while at < len(data):
        tag, length = numbers(">BI", data, at)
        section = piece(data, at + 5, length)
        at += 5 + length
        if tag == _MESSAGES:
            yield from filter(None, _messages(section, translations))


def _messages(section: memoryview, translations: bool) -> Iterator[str]:
    """The texts of one section: messages one after the other, each a row of tagged fields."""
    at = 0
    while at < len(section):
        (tag,) = numbers("B", section, at)
        at += 1
        if tag == _END:
            continue
        if tag == _HASH:
            at += 4
            continue
        if tag not in _TEXTS and tag not in _SKIPPED:
            raise CatalogueError("it has a field that Qt does not know")
        (length,) = numbers(">I", section, at)
        length = 0 if length == _NONE else length
        text = piece(section, at + 4, length)
        at += 4 + length
        if tag in _TEXTS and (translations or tag != _TRANSLATION):
            yield decoded(text, _TEXTS[tag])
