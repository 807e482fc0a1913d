"""The words by which a person names a span of what is held: `--last 10m`, `--surface editor`, `--from 09:30 --to 10:00`. Pure.

Times are UTC, as `show` prints them, unless they say otherwise themselves.
"""

import re
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from agent.errors import Usage
from agent.messages import Chosen
from consent.event import Clocks
from consent.hours import Hours, HoursError, parse
from consent.vocabulary import SurfaceId
from transport.span import Between, Everything, Last, OfSurface, Span

_SPAN = re.compile(r"(\d{1,6})\s*([smhd])")
_UNIT_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_WHOLE_S = 400 * _UNIT_S["d"]
_OF_TODAY = re.compile(r"\d\d:\d\d(:\d\d(\.\d{1,3})?)?")
FOREVER_MS = 2**53
"""Beyond every clock."""


def seconds(text: str) -> int:
    """The seconds in a span such as 45s, 10m, 2h or 1d. Raises Usage."""
    match = _SPAN.fullmatch(text.strip().lower())
    if match is None or not 0 < int(match[1]) * _UNIT_S[match[2]] <= _WHOLE_S:
        raise Usage(f"{text!r} is not a span of time", "give a number with s, m, h or d, such as 10m")
    return int(match[1]) * _UNIT_S[match[2]]


def wall_ms(text: str, now: Clocks) -> int:
    """An instant such as 09:30, 2026-11-21 09:30 or 2026-11-21T09:30:00+01:00, in milliseconds since 1970. Raises Usage."""
    words = text.strip()
    if _OF_TODAY.fullmatch(words):
        words = f"{now.day} {words}"
    try:
        read = datetime.fromisoformat(words)
        at_ms = int((read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise Usage(f"{text!r} is not a time", "give it as show prints it, such as 09:30 or '2026-11-21 09:30'") from None
    if not 0 <= at_ms <= FOREVER_MS:
        raise Usage(f"{text!r} is not a time", "give one since 1970")
    return at_ms


def between_ms(begin: str | None, end: str | None, now: Clocks) -> tuple[int, int]:
    """From one instant to another, in milliseconds since 1970: from the first of all times, or to now, if that end is not named.

    Raises Usage.
    """
    from_ms = wall_ms(begin, now) if begin is not None else 0
    to_ms = wall_ms(end, now) if end is not None else now.wall_ms
    if to_ms < from_ms:
        raise Usage("that span ends before it begins", "give --from first, then --to")
    return from_ms, to_ms


def rest_of_today_minutes(now: Clocks, zone: str) -> int:
    """Minutes until the day of this zone is over, begun ones counted whole."""
    local = datetime.fromtimestamp(now.wall_ms / 1000, ZoneInfo(zone))
    midnight = datetime.combine(local.date() + timedelta(days=1), time(), local.tzinfo)
    return max(1, -(-int(midnight.timestamp() - now.wall_ms / 1000) // 60))


def named(text: str, what: str) -> str:
    """A name that a person gave. An empty one must not pass for none, which often means all of them. Raises Usage."""
    if not text.strip():
        raise Usage(f"the name of the {what} is empty", "give one; nothing was done")
    return text


def app(name: str) -> SurfaceId:
    """The app of this name. Raises Usage for an empty one."""
    return SurfaceId(named(name, "app"))


def hours(text: str | None, zone: str) -> Hours | None:
    """The hours in a text such as `mon-fri 9:00-17:00`, in this zone if it names none; None for None. Raises Usage."""
    try:
        return None if text is None else parse(text, zone)
    except HoursError as error:
        raise Usage(str(error), "say them as in: 'mon-fri 9:00-17:00', or always") from None


def span_of(chosen: Chosen, now: Clocks, boot: str) -> Span:
    """The span that was named, at this instant of this start of the machine; everything if nothing was."""
    if chosen.last_s is not None:
        return Last(chosen.last_s, now, boot)
    if chosen.surface is not None:
        return OfSurface(chosen.surface)
    if chosen.from_wall_ms is not None or chosen.to_wall_ms is not None:
        return Between(chosen.from_wall_ms or 0, FOREVER_MS if chosen.to_wall_ms is None else chosen.to_wall_ms)
    return Everything()
