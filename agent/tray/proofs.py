"""The challenges that still want an answer, in the order in which they came. Pure.

An answer is given as soon as it is known; "seen" needs the host's word and the picture that is shown now, and what is not
known by the deadline is "not seen".
"""

from collections import deque
from dataclasses import dataclass, field


@dataclass(slots=True)
class Open:
    """One challenge. `seen` is the host's or the display's word; None: not known yet."""

    nonce: bytes
    deadline_ms: int
    seen: bool | None = None


@dataclass(slots=True)
class Proofs:
    """All challenges without an answer."""

    _open: deque[Open] = field(default_factory=deque)

    def add(self, nonce: bytes, deadline_ms: int) -> Open:
        """A new challenge; its `seen` is set by whoever finds out."""
        challenge = Open(nonce, deadline_ms)
        self._open.append(challenge)
        return challenge

    def clear(self) -> None:
        """Forgets all: their connection is gone."""
        self._open.clear()

    def deadline_ms(self) -> int | None:
        """When the oldest must be answered; None if there is none."""
        return self._open[0].deadline_ms if self._open else None

    def due(self, *, drawn: bool, now_ms: int) -> list[tuple[bytes, bool]]:
        """Answers to give now, oldest first: nonce, and whether we are seen. `drawn`: what is shown now has reached the screen's owner."""
        answers: list[tuple[bytes, bool]] = []
        while self._open:
            oldest = self._open[0]
            seen = bool(oldest.seen) and drawn
            if not seen and oldest.seen is not False and now_ms < oldest.deadline_ms:
                break
            answers.append((oldest.nonce, seen))
            self._open.popleft()
        return answers
