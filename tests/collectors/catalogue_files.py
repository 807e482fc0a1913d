"""Writers of message catalogues, for tests: what they write, the product reads."""

import struct
from collections.abc import Mapping, Sequence

QM_MAGIC = bytes.fromhex("3cb86418caef9c95cd211cbf60a1bddd")


def mo(messages: Mapping[str, str], order: str = "<") -> bytes:
    """A .mo as msgfmt writes it: sorted, no hash table; contexts and plural forms are in the strings (\\x04, \\0)."""
    pairs = sorted((source.encode(), translated.encode()) for source, translated in messages.items())
    tables, begin = b"", 28 + 16 * len(pairs)
    texts = b""
    for column in (0, 1):
        for pair in pairs:
            tables += struct.pack(f"{order}2I", len(pair[column]), begin + len(texts))
            texts += pair[column] + b"\0"
    header = struct.pack(f"{order}7I", 0x950412DE, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, begin)
    return header + tables + texts


def qm(messages: Sequence[tuple[str, str]]) -> bytes:
    """A .qm as lrelease writes it: a section of hashes, which nobody here reads, and one of messages."""
    rows = b""
    for source, translated in messages:
        for tag, text in ((3, translated.encode("utf-16-be")), (8, b""), (6, source.encode()), (7, b"MainWindow")):
            rows += struct.pack(">BI", tag, len(text)) + text
        rows += b"\x01"
    return QM_MAGIC + struct.pack(">BI", 0x42, 8) + bytes(8) + struct.pack(">BI", 0x69, len(rows)) + rows


def pak(texts: Sequence[str], version: int = 5, encoding: int = 1) -> bytes:
    """A .pak of Chromium's, version 4 or 5, in UTF-8 (1), UTF-16 (2) or binary (0)."""
    data = [text.encode("utf-16-le" if encoding == 2 else "utf-8") for text in texts]
    header = struct.pack("<IB3xHH", 5, encoding, len(data), 1) if version == 5 else struct.pack("<IIB", version, len(data), encoding)
    alias = struct.pack("<HH", 9, 0) if version == 5 else b""
    at, table = len(header) + 6 * (len(data) + 1) + len(alias), b""
    for number, text in enumerate([*data, b""]):
        table += struct.pack("<HI", number, at)
        at += len(text)
    return header + table + alias + b"".join(data)
