"""Chromium's and Electron's data packs (.pak), versions 4 and 5, as Chromium's `ui/base/resource/data_pack.cc` reads them. Pure.

Of a language only: packs of anything else (scripts, pictures) call their encoding binary.
"""

from collections.abc import Iterator

from collectors.catalogues.within import Catalogue, CatalogueError, decoded, numbers, piece

_ENCODINGS = {1: "utf-8", 2: "utf-16-le"}
_ENTRY_BYTES = 6
_ALIAS_BYTES = 4


def texts(data: Catalogue) -> Iterator[str]:
    """All texts of a pack, which has no source texts.

    Raises:
        CatalogueError: These bytes are no such pack; what came before that is of it.
    """
    (version,) = numbers("<I", data, 0)
    if version == 4:
        (entries, encoding), table, aliases = numbers("<IB", data, 4), 9, 0
    elif version == 5:
        encoding, entries, aliases = numbers("<B3xHH", data, 4)
        table = 12
    else:
        raise CatalogueError("it does not begin as a .pak of version 4 or 5 does")
    if encoding not in _ENCODINGS:
        raise CatalogueError("it is no pack of texts")
    piece(data, table, (entries + 1) * _ENTRY_BYTES + aliases * _ALIAS_BYTES)
    for number in range(entries):
        _, begin, _, end = numbers("<HIHI", data, table + number * _ENTRY_BYTES)
        text = decoded(piece(data, begin, end - begin), _ENCODINGS[encoding])
        if text:
            yield text
