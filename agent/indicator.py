"""The indicator as the daemon knows it: one connection, what it was told to show, what it has proven. One at a time.

A newer indicator replaces an older one; the proof begins anew. When the connection breaks or an answer is late or wrong,
the proof is gone, and `lost` tells the daemon, which closes the gate.
"""

import asyncio
import secrets
from collections.abc import Callable

from agent import messages
from agent.control import Connection
from consent.event import Clocks
from consent.proof import ANSWER_WITHIN_MS, NONE, Proof

NONCE_BYTES = 16
_GRACE_S = 0.05


class Indicator:
    """Args:
        read: The clocks.
        loop: For the deadline of each challenge.
        answered: Called with the nonce of each challenge that was answered as it must be.
        lost: Called when the proof has become void.

    Attributes:
        silent: Called when it became void because no answer came: the indicator hangs.
    """

    def __init__(
        self,
        read: Callable[[], Clocks],
        loop: asyncio.AbstractEventLoop,
        answered: Callable[[bytes], None],
        lost: Callable[[], None],
    ) -> None:
        self._read, self._loop, self._answered, self._lost = read, loop, answered, lost
        self.silent: Callable[[], None] = _nothing
        self._connection: Connection | None = None
        self._appear: messages.Appear | None = None
        self.proof: Proof = NONE

    def attach(self, connection: Connection, hello: messages.Attach) -> None:
        """This connection is the indicator from now on."""
        if self._connection is not None:
            self._connection.say(messages.Replaced())
            self.lose()  # what the older one has shown, this one has not: its generation ends
        self._connection, self.proof = connection, Proof(hello.instance, hello.form)
        if self._appear is not None:
            connection.say(self._appear)
        self.challenge()

    def show(self, appear: messages.Appear) -> None:
        """What it has to show from now on. A change of state is challenged: it must be seen to be shown."""
        changed = self._appear is None or self._appear.state is not appear.state
        self._appear = appear
        if self._connection is not None:
            self._connection.say(appear)
            nonce = self.challenge() if changed else None
            if nonce is not None:
                self.proof = self.proof.changed(nonce)

    def challenge(self) -> bytes | None:
        """Ask for a proof now; the challenge's nonce, or None if there is no indicator."""
        if self._connection is None:
            return None
        nonce = secrets.token_bytes(NONCE_BYTES)
        self.proof = self.proof.challenge(nonce, self._read().awake_ms)
        self._connection.say(messages.Challenge(nonce))
        self._loop.call_later(ANSWER_WITHIN_MS / 1000 + _GRACE_S, self._look)
        return nonce

    def answered(self, connection: Connection, answer: messages.Proven) -> None:
        """An answer from some connection; only the attached one's counts."""
        if connection is not self._connection:
            return
        self.proof = self.proof.answer(
            nonce=answer.nonce,
            instance=answer.instance,
            visible=answer.visible,
            showing=answer.showing,
            awake_ms=self._read().awake_ms,
        )
        if self.proof is NONE:
            self.lose()
        else:
            self._answered(answer.nonce)

    def gone(self, connection: Connection) -> None:
        """A connection has ended; if it was the indicator's, there is none now."""
        if connection is self._connection:
            self.lose()

    def lose(self) -> None:
        """The proof is void: hang up, so that the next proof is of a new connection."""
        if self._connection is not None:
            self._connection.close()
        self._connection, self.proof = None, NONE
        self._lost()

    def _look(self) -> None:
        if self.proof.overdue(self._read().awake_ms):
            self.lose()
            self.silent()


def _nothing() -> None:
    """Nobody wants to know."""
