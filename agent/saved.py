"""What was counted and saved beside the ledger, read again. What cannot be read counts as nothing: none of it opens anything."""

from pathlib import Path

import msgspec

from agent.status import TallyPart
from agent.tally import Tally
from consent.steady import Anchor
from consent.unreadable import UNREADABLE
from transport import allowance
from transport.seen import Seen, Stretch, sound


def tally(path: Path) -> Tally:
    """The counts of raw inputs."""
    try:
        return Tally.of(msgspec.json.decode(path.read_bytes(), type=TallyPart))
    except (OSError, *UNREADABLE):
        return Tally()


def spent(path: Path) -> allowance.Spent:
    """What was sent today."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=allowance.Spent)
    except (OSError, *UNREADABLE):
        return allowance.Spent()


def anchor(path: Path) -> Anchor | None:
    """What the steady clock counts from."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Anchor)
    except (OSError, *UNREADABLE):
        return None


def seen(path: Path) -> Seen:
    """When somebody could have looked."""
    try:
        return sound(msgspec.json.decode(path.read_bytes(), type=list[Stretch]))
    except (OSError, *UNREADABLE):
        return ()
