"""What a new ledger begins with: the exemptions that the last one that was set aside still tells of, before anything else is said.

Only what closes: an exemption's end would open something on the word of a line that may be damaged. So no later yes widens over them.
"""

from collections.abc import Sequence
from pathlib import Path

from agent.places import Places
from consent import exemption
from consent.ledger import Entry, salvage

_KEPT = (exemption.ASKED, exemption.DECIDED)


def missing(places: Places, told: Sequence[Entry]) -> list[Entry]:
    """What a ledger that tells only this is still to be told; nothing if its person has said more than that."""
    if any(entry.what not in _KEPT for entry in told):
        return []
    known = {_same(entry) for entry in told}
    return [entry for entry in _last(places) if entry.what in _KEPT and _same(entry) not in known]


def _same(entry: Entry) -> tuple[str, str, int]:
    return entry.what, str(entry.data.get("id")), entry.at.wall_ms


def _last(places: Places) -> list[Entry]:
    """The lines of the last ledger that was set aside, if any of it reads."""
    ledgers = sorted(places.state.glob("ledger.broken-*"), key=_aside_ms, reverse=True)
    return next((found for found in map(salvage, ledgers) if found), [])


def _aside_ms(path: Path) -> int:
    digits = path.name.rpartition("-")[2]
    return int(digits) if digits.isdecimal() else 0
