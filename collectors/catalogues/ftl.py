"""Firefox' texts: Fluent's files (.ftl), in archives of which only these are read (omni.ja, and language packs, .xpi). Pure.

The archive is a ZIP (APPNOTE 6.3) whose directory stands at its end. It is 50 MB, so it comes in as a function that reads a part of it.
"""

import re
import zlib
from collections.abc import Callable, Iterator

from collectors.catalogues.within import LONGEST_BYTES, CatalogueError, numbers, piece

Part = Callable[[int, int], bytes]
"""From where, how many bytes: what stands there."""
MOST_DIRECTORY_BYTES = 4 * 1024 * 1024
MOST_FILE_BYTES = 1024 * 1024
"""Firefox' own: 0.5 MB of directory, and 60 KB for its longest file."""
_END, _ENTRY, _LOCAL = b"PK\5\6", b"PK\1\2", b"PK\3\4"
_END_BYTES, _ENTRY_BYTES, _LOCAL_BYTES = 22, 46, 30
_STORED, _DEFLATED = 0, 8
_NOT_LABELS = ("accesskey", "key", "style", "keycode")
_OF_PERSONS = (b"/regionNames.ftl", b"/languageNames.ftl", b"/currencyNames.ftl")
"""What is chosen there, on any page, says where somebody lives and what they speak."""
_MESSAGE = re.compile(r"-?[A-Za-z][\w-]*\s*=\s*(.*)")
_ATTRIBUTE = re.compile(r"\s+\.([A-Za-z][\w-]*)\s*=\s*(.*)")
_VARIANT = re.compile(r"\s+\*?\[[^\]]*\]\s*(.*)")


def texts(size: int, part: Part) -> Iterator[str]:
    """All lines of text in an archive's Fluent files. Those with something to fill in still have it (`{ ... }`).

    Raises:
        CatalogueError: It is no such archive; what came before that is of it.
    """
    directory, entries = _directory(size, part)
    at = 0
    for _ in range(entries):
        if piece(directory, at, 4) != _ENTRY:
            raise CatalogueError("its directory is none")
        method, packed, unpacked, name, extra, comment, begin = numbers("<10xH8xIIHHH8xI", directory, at)
        named = bytes(piece(directory, at + _ENTRY_BYTES, name))
        at += _ENTRY_BYTES + name + extra + comment
        if named.endswith(b".ftl") and not named.endswith(_OF_PERSONS) and max(packed, unpacked) <= MOST_FILE_BYTES:
            yield from of_file(_file(part, begin, packed, method))


def _directory(size: int, part: Part) -> tuple[memoryview, int]:
    end = part(max(size - _END_BYTES, 0), _END_BYTES)
    if end[:4] != _END:
        raise CatalogueError("it does not end as a ZIP does")
    entries, length, begin = numbers("<10xHII", end, 0)
    if length > MOST_DIRECTORY_BYTES:
        raise CatalogueError("its directory is too long")
    return memoryview(part(begin, length)), entries


def _file(part: Part, begin: int, packed: int, method: int) -> bytes:
    header = part(begin, _LOCAL_BYTES)
    if header[:4] != _LOCAL:
        raise CatalogueError("a file is not where its directory says")
    name, extra = numbers("<26xHH", header, 0)
    data = part(begin + _LOCAL_BYTES + name + extra, packed)
    if method == _STORED:
        return data
    if method != _DEFLATED:
        raise CatalogueError("a file is packed in an unknown way")
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, MOST_FILE_BYTES)
    except zlib.error as error:
        raise CatalogueError("a file cannot be unpacked") from error


def of_file(data: bytes) -> Iterator[str]:
    """The lines of text in one Fluent file: values of messages and of attributes, and variants."""
    skipping = False
    for line in data.split(b"\n"):
        if len(line) > LONGEST_BYTES or line.startswith(b"#"):
            continue
        said = line.decode("utf-8", "replace").rstrip()
        attribute = _ATTRIBUTE.match(said)
        if attribute is not None:
            skipping = attribute[1] in _NOT_LABELS
            text = attribute[2]
        elif not said[:1].isspace():
            skipping = False
            message = _MESSAGE.match(said)
            text = message[1] if message is not None else ""
        else:
            variant = _VARIANT.match(said)
            text = variant[1] if variant is not None else said.strip()
        if text and not skipping:
            yield text
