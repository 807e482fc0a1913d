"""Pause: a temporary no. It counts awake time, and only a person ends it. Pure.

Time can only make a pause longer: suspend does not consume it, a jump of the wall clock does not touch it, and after a
restart of the machine it counts from the beginning, because its awake clock began anew. When the promised time is over
the pause goes on until the person resumes: nothing may begin again before eyes that nobody has seen.
"""

from dataclasses import dataclass

from consent.event import Clocks

DEFAULT_MINUTES = 30


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause that was asked for.

    Attributes:
        minutes: The promised length in awake minutes; None: until I resume.
        asked: When it was asked for.
        boot: Which start of the machine `asked` belongs to.
    """

    minutes: int | None
    asked: Clocks
    boot: str

    def left_s(self, now: Clocks, boot: str) -> int | None:
        """Awake seconds that are still promised, rounded up; 0 when only the person is waited for; None: until I resume."""
        if self.minutes is None:
            return None
        promised_ms = self.minutes * 60_000
        if boot != self.boot:
            return promised_ms // 1000
        gone_ms = max(0, now.awake_ms - self.asked.awake_ms)
        return max(0, -(-(promised_ms - gone_ms) // 1000))
