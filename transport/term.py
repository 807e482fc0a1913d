"""When the hold of a segment is over: the longest hold since it was recorded, and time in which its subject could look. Pure."""

from dataclasses import dataclass

from consent.event import Clocks
from consent.holding import Change
from transport.seen import SEEN_AT_LEAST_MS, Seen, since_ms
from transport.span import Cover, is_due


@dataclass(frozen=True, slots=True)
class Term:
    """How long things are held.

    Attributes:
        hold_s: The hold in force, in seconds.
        changes: Instants at which it may have become shorter.
        seen: Time in which a person could look; None: that is not asked (a fact for tests, never for a daemon).
    """

    hold_s: int
    changes: tuple[Change, ...] = ()
    seen: Seen | None = None

    def over(self, cover: Cover, *, boot: str, now: Clocks) -> bool:
        """Whether all that is covered has been held for its time, and could be looked at for a quarter of an hour."""
        if not is_due(cover, boot=boot, now=now, hold_s=self.held_s(cover, boot)):
            return False
        return self.seen is None or since_ms(self.seen, cover.boot, cover.last_boot_ms, boot) >= SEEN_AT_LEAST_MS

    def held_s(self, cover: Cover, boot: str) -> int:
        """The longest hold that was in force since any of it was recorded, in seconds."""
        return max([self.hold_s, *(change.before_s for change in self.changes if _before(cover, change, boot))])


def _before(cover: Cover, change: Change, boot: str) -> bool:
    """Whether any of it was recorded before the change. In doubt it was; of two earlier starts only the wall clock knows."""
    if cover.boot == change.boot:
        return cover.first_boot_ms <= change.at.boot_ms
    if change.boot == boot:
        return True
    return cover.boot != boot and cover.first_wall_ms <= change.at.wall_ms
