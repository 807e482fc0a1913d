"""Words that many answers and requests share. Pure."""

import re

from agent.errors import Usage

_SPAN = re.compile(r"(\d{1,6})\s*([smhd])")
_UNIT_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_WHOLE_S = 400 * _UNIT_S["d"]


def counted(n: int, thing: str) -> str:
    """A number of things: `1 envelope`, `2 envelopes`, `2 batches`."""
    many = f"{thing}es" if thing.endswith("ch") else f"{thing}s"
    return f"{n} {thing if n == 1 else many}"


def seconds(text: str) -> int:
    """The seconds in a span such as 45s, 10m, 2h or 1d. Raises Usage."""
    match = _SPAN.fullmatch(text.strip().lower())
    if match is None or not 0 < int(match[1]) * _UNIT_S[match[2]] <= _WHOLE_S:
        raise Usage(f"{text!r} is not a span of time", "give a number with s, m, h or d, such as 10m")
    return int(match[1]) * _UNIT_S[match[2]]
