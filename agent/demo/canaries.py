"""Canary strings, and the forms in which they could survive. Pure: randomness and bytes come in as arguments.

A hit is only ever reported as a number; nothing here can show a canary, and the canaries' own repr hides them.
"""

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

RANDOM_BYTES = 8
"""64 random bits a canary: it stands in no file by chance."""

LONGEST = 128
"""Bytes. No form of a canary's 22 characters is longer (spaced keycodes take 108); what a search in pieces must overlap."""


@dataclass(frozen=True, slots=True)
class Canary:
    """A string that is typed and must never be found again.

    Attributes:
        role: What it is for: allowed, not_allowed, paused, password.
        text: The string itself; lower-case letters and digits, so that any keyboard types it.
    """

    role: str
    text: str = field(repr=False)


def make(role: str, random: bytes) -> Canary:
    """A canary of `RANDOM_BYTES` random bytes. Letters only at its start, so that no shell or editor treats it specially."""
    return Canary(role, f"canary{random[:RANDOM_BYTES].hex()}")


def forms(text: str, keycodes: Mapping[str, int] | None = None) -> dict[str, bytes]:
    """Every form of a string that is searched for, by name.

    Base64 is cut to what does not depend on neighbours, at each of the three alignments. With `keycodes` (of each character) the
    sequence of keycodes is a form too: whoever stores keycodes has stored the text.
    """
    raw = text.encode("ascii")
    found = {"raw": raw, "raw_upper": raw.upper(), "reversed": raw[::-1]}
    found |= {"hex_lower": raw.hex().encode(), "hex_upper": raw.hex().upper().encode()}
    found |= {"utf16_le": text.encode("utf-16-le"), "utf16_be": text.encode("utf-16-be")}
    for shift in range(3):
        found[f"base64_{shift}"] = _base64(raw, shift)
    if keycodes:
        codes = [keycodes[character] for character in text]
        found |= {"keycodes": bytes(codes), "keycodes_text": b",".join(str(code).encode() for code in codes)}
        found["keycodes_spaced"] = b", ".join(str(code).encode() for code in codes)
    return found


def _base64(raw: bytes, shift: int) -> bytes:
    coded = base64.b64encode(bytes(shift) + raw)  # lower-case letters and digits never give + or /: url-safe is the same
    first = (shift * 8 + 5) // 6  # characters that depend on the bytes before
    last = (shift + len(raw)) * 8 // 6  # and on the ones after
    return coded[first:last]


class Net:
    """All forms of all canaries, as one pattern."""

    def __init__(self, canaries: Iterable[Canary], keycodes: Mapping[str, int] | None = None) -> None:
        patterns = {form for canary in canaries for form in forms(canary.text, keycodes).values()}
        self._pattern = re.compile(b"|".join(re.escape(pattern) for pattern in sorted(patterns)))

    def hits(self, data: bytes) -> int:
        """How often any form of any canary stands in `data`."""
        return sum(1 for _ in self._pattern.finditer(data))
