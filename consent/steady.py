"""What time it is, for whoever must not be fooled by a clock that was set: the wall clock, and what it would show had nobody set it. Pure.

Between two starts of the machine the second counts on from the first look at the wall clock, suspend included. What opens by the hour
must lie within on both; so setting the wall clock can close, and never open (INV-5).
"""

import msgspec

from consent.event import Clocks


class Anchor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The first look at the clocks in one start of the machine."""

    boot: str
    at: Clocks

    def instants_ms(self, now: Clocks) -> tuple[int, int]:
        """What the wall clock shows, and what it would show had nobody set it; milliseconds since 1970."""
        return now.wall_ms, self.at.wall_ms + max(0, now.boot_ms - self.at.boot_ms)


def anchored(kept: Anchor | None, boot: str, now: Clocks) -> Anchor:
    """The anchor of this start of the machine: the one that was kept, if it is of this start and not of the future."""
    if kept is not None and boot and kept.boot == boot and kept.at.boot_ms <= now.boot_ms:
        return kept
    return Anchor(boot, now)
