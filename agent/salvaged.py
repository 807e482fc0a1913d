"""What a new ledger begins with: the exemptions that the last one that was set aside still tells of, before anything else is said.

Those that were asked for, and what else was chosen to exempt. Only what closes: an exemption's end
would open something on the word of a line that may be damaged. So no later yes widens over them.
"""

from collections.abc import Sequence
from pathlib import Path

from agent.places import Places
from consent import exemption
from consent.history import LINK_UNKNOWN_CHOSEN, UNPLUGGED_CHOSEN
from consent.ledger import Entry, salvage

_ASKED = (exemption.ASKED, exemption.DECIDED)
_CHOSEN = (UNPLUGGED_CHOSEN, LINK_UNKNOWN_CHOSEN)


def missing(places: Places, told: Sequence[Entry]) -> list[Entry]:
    """What a ledger that tells only this is still to be told; nothing if its person has said more than that."""
    if not all(_kept(entry) for entry in told):
        return []
    known = {_same(entry) for entry in told}
    return [entry for entry in _last(places) if _kept(entry) and _same(entry) not in known]


def _kept(entry: Entry) -> bool:
    """Whether this line exempts; of a choice that it does, as `consent.history` reads it."""
    return entry.what in _ASKED or (entry.what in _CHOSEN and entry.data.get("exempt") is not False)


def _same(entry: Entry) -> tuple[str, str, int]:
    return entry.what, str(entry.data.get("id")), entry.at.wall_ms


def _last(places: Places) -> list[Entry]:
    """The lines of the last ledger that was set aside, if any of it reads."""
    ledgers = sorted(places.state.glob("ledger.broken-*"), key=_aside_ms, reverse=True)
    return next((found for found in map(salvage, ledgers) if found), [])


def _aside_ms(path: Path) -> int:
    digits = path.name.rpartition("-")[2]
    return int(digits) if digits.isdecimal() else 0
