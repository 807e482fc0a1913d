"""The hours in which a person is willing to be recorded: days of the week, and from when to when, in one zone. Pure.

The zone is written down with them: another zone of the computer, or a journey, does not move them. An hour that the clocks show
twice or never (daylight saving) lies outside, and so does every instant about which two clocks differ: who asks gives all of them.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

ALWAYS_WORD = "always"
UTC_NAME = "UTC"
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TEXT = re.compile(r"([a-z]{3})(?:-([a-z]{3}))? (\d{1,2}):(\d\d)-(\d{1,2}):(\d\d)(?: ([A-Za-z0-9_+/-]{1,60}))?")
_DAY_MIN = 24 * 60


class HoursError(Exception):
    """That does not say any hours."""


@dataclass(frozen=True, slots=True)
class Hours:
    """Some days of the week (0 is Monday), and on each of them from one minute of the day to another, which is no longer in it."""

    days: frozenset[int]
    begin_min: int
    end_min: int
    zone: str

    @property
    def always(self) -> bool:
        """Whether nothing lies outside."""
        return len(self.days) == len(_DAYS) and self.end_min - self.begin_min == _DAY_MIN

    def text(self) -> str:
        """As `parse` reads it: `mon-fri 09:00-17:00 Europe/Berlin`."""
        if self.always:
            return ALWAYS_WORD
        first, last = min(self.days), max(self.days)
        days = _DAYS[first] if first == last else f"{_DAYS[first]}-{_DAYS[last]}"
        return f"{days} {_of_day(self.begin_min)}-{_of_day(self.end_min)} {self.zone}"

    def hold(self, wall_ms: int) -> bool:
        """Whether this instant (milliseconds since 1970, UTC) lies within. False if the zone is not known to this computer."""
        return self._lies_within(wall_ms) is True

    def may_hold(self, wall_ms: int) -> bool:
        """Whether this instant could lie within, for hours in which something is off: in doubt it does."""
        return self._lies_within(wall_ms) is not False

    def _lies_within(self, wall_ms: int) -> bool | None:
        if self.always:
            return True
        zone = _zone(self.zone)
        try:
            local = datetime.fromtimestamp(wall_ms / 1000, UTC).astimezone(zone) if zone else None
        except (OverflowError, ValueError, OSError):
            return None
        if local is None or _twice_or_never(local):
            return None
        return local.weekday() in self.days and self.begin_min <= local.hour * 60 + local.minute < self.end_min


ALWAYS = Hours(frozenset(range(7)), 0, _DAY_MIN, UTC_NAME)
NO_HOURS = Hours(frozenset(), 0, 0, UTC_NAME)


def usual(zone: str) -> Hours:
    """What a yes says unless it says something else: Monday to Friday, nine to five."""
    return Hours(frozenset(range(5)), 9 * 60, 17 * 60, zone)


def parse(text: str, zone: str = UTC_NAME) -> Hours:
    """The hours in `mon-fri 9:00-17:00`, with a zone behind it or else in `zone`; or `always`. Raises HoursError, in words for people."""
    words = " ".join(text.split())
    if words.lower() == ALWAYS_WORD:
        return ALWAYS
    match = _TEXT.fullmatch(words[:11].lower() + words[11:])
    if match is None:
        raise HoursError(f"{text!r} does not say hours")
    hours = Hours(_days(match[1], match[2] or match[1]), _minutes(match[3], match[4]), _minutes(match[5], match[6]), match[7] or zone)
    if hours.begin_min >= hours.end_min:
        raise HoursError("the hours end before they begin")
    if _zone(hours.zone) is None:
        raise HoursError(f"this computer knows no zone {hours.zone}")
    return hours


def within(every: Iterable[Hours], instants_ms: Iterable[int]) -> bool:
    """Whether each instant lies within all of these hours."""
    each = tuple(every)
    return all(hours.hold(wall_ms) for wall_ms in instants_ms for hours in each)


def _days(first: str, last: str) -> frozenset[int]:
    if first not in _DAYS or last not in _DAYS:
        raise HoursError(f"{first if first not in _DAYS else last} is no day of the week; they are {', '.join(_DAYS)}")
    if _DAYS.index(first) > _DAYS.index(last):
        raise HoursError("the days end before they begin; a week begins with mon")
    return frozenset(range(_DAYS.index(first), _DAYS.index(last) + 1))


def _minutes(hour: str, minute: str) -> int:
    minutes = int(hour) * 60 + int(minute)
    if int(minute) > 59 or minutes > _DAY_MIN:
        raise HoursError(f"{hour}:{minute} is no time of a day")
    return minutes


def _of_day(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


@lru_cache(maxsize=8)
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, LookupError):  # not known here, no name of a zone, no zones on this computer
        return None


def _twice_or_never(local: datetime) -> bool:
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
