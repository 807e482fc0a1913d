"""Numbers that may only rise, in a file of their own: they outlive a ledger that was set aside.

The number of the consent makes the pseudonyms, so a new ledger must not begin it anew; a policy that was once accepted is
never gone below, whatever became of the ledger that remembered it; and a lease that was once over stays so, whatever the clock says.
"""

import contextlib
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Annotated

import msgspec

from agent.places import Places
from consent.ledger import salvage
from consent.standing import Happening
from consent.unreadable import UNREADABLE
from transport import disk

Versions = tuple[int, int, int, int]
"""Of root, timestamp, snapshot and targets."""
_MAX_BYTES = 4096
_LATEST = date(2200, 1, 1)
"""No clock of this machine is believed that far: such a number is damage, and every later day would be one before it."""
_MOST = 10**9
Instant = Annotated[int, msgspec.Meta(ge=0, le=7_258_118_400_000)]
"""Unix milliseconds, no later than _LATEST."""


class Accepted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A policy that was accepted, and below which none is accepted again.

    Attributes:
        versions: Of its metadata.
        online: The online keys under which timestamp and snapshot were counted (`consent.trust.Trusted`); None before the first.
        policy: Its own version.
    """

    versions: Versions = (0, 0, 0, 0)
    online: str | None = None
    policy: int = 0


class Floors(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The highest numbers that were ever used on this machine; `wall_ms` and `day`: see `agent.today.Latest`.

    Attributes:
        lapsed_wall_ms: The end of the latest lease that was seen to be over (ms since 1970, UTC): one that ends no later is over, too.
    """

    consents: Annotated[int, msgspec.Meta(ge=0, le=_MOST)] = 0
    accepted: Accepted = Accepted()
    wall_ms: Instant = 0
    day: date | None = None
    lapsed_wall_ms: Instant = 0


def read(places: Places) -> Floors:
    """The numbers; where their file is gone, at least as many consents as ledgers that were set aside still tell of."""
    found = _sound(places.floors)
    return found if found.consents else msgspec.structs.replace(found, consents=_told_by(places.state.glob("ledger.broken-*")))


def _sound(path: Path) -> Floors:
    """Each number that reads and can be; one that cannot takes no other with it."""
    try:
        said = msgspec.json.decode(disk.read(path, _MAX_BYTES), type=dict[str, msgspec.Raw])
    except (OSError, disk.NotPrivate, *UNREADABLE):
        return Floors()
    floors = Floors()
    for field in msgspec.structs.fields(Floors):
        with contextlib.suppress(*UNREADABLE):
            value = msgspec.json.decode(said.get(field.name, msgspec.Raw()), type=field.type)
            if not isinstance(value, date) or value <= _LATEST:
                floors = msgspec.structs.replace(floors, **{field.name: value})
    return floors


def put(places: Places, floors: Floors) -> None:
    """Keep them, durably. Raises OSError."""
    disk.put(places.floors, msgspec.json.encode(floors))


def consents(places: Places) -> int:
    """At least as many consents as were ever given on this machine, by the file and by every ledger."""
    return max(read(places).consents, _told_by([places.ledger, *places.state.glob("ledger.broken-*")]))


def highest(one: Accepted, other: Accepted) -> Accepted:
    """The highest of each; of two roots the newer one's, because another online key may have begun to count anew."""
    if one.versions[0] != other.versions[0]:
        newer = max(one, other, key=lambda accepted: accepted.versions[0])
        return msgspec.structs.replace(newer, policy=max(one.policy, other.policy))
    root, timestamp, snapshot, targets = (max(each) for each in zip(one.versions, other.versions, strict=True))
    return Accepted((root, timestamp, snapshot, targets), one.online or other.online, max(one.policy, other.policy))


def _told_by(ledgers: Iterable[Path]) -> int:
    return sum(entry.what == Happening.CONSENT_GIVEN for path in ledgers for entry in salvage(path))
