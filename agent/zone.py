"""The time zone of this computer, by its name: what hours are written down in. The only place that asks for it."""

import os
from pathlib import Path
from zoneinfo import ZoneInfo

from consent.hours import UTC_NAME

_LOCALTIME, _NAMED = Path("/etc/localtime"), Path("/etc/timezone")
_ZONES = "zoneinfo/"


def name() -> str:
    """Such as Europe/Berlin: what TZ names, or what /etc/localtime leads to, or what /etc/timezone says; UTC if none is a zone's name."""
    link = os.path.realpath(_LOCALTIME)
    for found in (os.environ.get("TZ", "").removeprefix(":"), link.partition(_ZONES)[2], _said()):
        if found and _is_zone(found):
            return found
    return UTC_NAME


def _said() -> str:
    try:
        return _NAMED.read_text("utf-8").strip()
    except (OSError, ValueError):
        return ""


def _is_zone(found: str) -> bool:
    try:
        ZoneInfo(found)
    except (OSError, ValueError, LookupError):
        return False
    return True
