"""zstd, from the standard library where it has it. Refuses to inflate beyond a bound, and anything after the one frame. Pure."""

import sys

from transport.errors import TransportError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LEVEL = 19
"""A batch is some 10 to 100 KB, packed once an hour or less: level 19 costs milliseconds and saves a tenth over level 3."""


class BadCompression(TransportError):
    """These bytes are not one complete zstd frame within the bound."""


def compress(data: bytes) -> bytes:
    """One zstd frame."""
    packed: bytes = zstd.compress(data, level=LEVEL)
    return packed


def decompress(packed: bytes, max_bytes: int) -> bytes:
    """What was compressed, at most max_bytes of it.

    Raises:
        BadCompression: not zstd, cut short, longer than the bound, or followed by something.
    """
    reader = zstd.ZstdDecompressor()
    try:
        data: bytes = reader.decompress(packed, max_length=max_bytes + 1)
    except zstd.ZstdError:
        raise BadCompression("the packed bytes are not zstd; they are damaged or of another format") from None
    if len(data) > max_bytes:
        raise BadCompression(f"the packed bytes inflate to more than {max_bytes} bytes; they are forged")
    if not reader.eof or reader.unused_data:
        raise BadCompression("the packed bytes are not one whole frame; fetch them again")
    return data
