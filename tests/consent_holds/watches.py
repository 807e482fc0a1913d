"""Four places that everything passes, each with a watch that knows the truth: hold, outbox, network, ledger."""

from typing import Any

import pytest

from consent.event import Event
from consent.gate import Admitted
from consent.ledger import Ledger
from consent.vocabulary import State
from tests.consent_holds.children import Courier
from tests.consent_holds.people import Icon
from tests.consent_holds.policies import KEYS
from tests.consent_holds.truth import SEEN_AT_LEAST_MS, Happened, Truth
from tests.consent_holds.world import World
from transport.batch import unpack
from transport.envelope import Envelope, open_purpose
from transport.errors import TransportError
from transport.hold import Hold
from transport.notes import Note
from transport.outbox import Outbox

ANSWER_WITHIN_MS = 1000
STOPS = frozenset({"pause_asked", "withdrawn", "forgotten", "exemption_began"})
"""Lines of the ledger that say no to something: before they are written, all that they end has ended."""


class Violation(AssertionError):
    """An invariant does not hold."""


def hold_to(invariant: str, holds: object, what: str) -> None:
    """Raise a Violation that names the invariant."""
    if not holds:
        raise Violation(f"{invariant}: {what}")


class Watches:
    """Put around one world. `envelopes` are the events of each, as its reader would find them; `left` are those of which bytes left."""

    def __init__(self, truth: Truth) -> None:
        self.truth = truth
        self.envelopes: dict[str, list[Happened]] = {}
        self.left: set[str] = set()
        self.slept_at = 0

    def put_on(self, world: World, patch: pytest.MonkeyPatch) -> None:
        self.world = world
        keep, put, append = Hold.keep, Outbox.put, Ledger.append

        def watched_keep(hold: Hold, admitted: list[Admitted], now: Any) -> Any:
            for one in admitted:
                self.kept(one.event)
            return keep(hold, admitted, now)

        def watched_put(outbox: Outbox, envelope: Envelope, note: Note) -> None:
            self.sealed(envelope)
            put(outbox, envelope, note)

        def watched_append(ledger: Ledger, what: str, *rest: Any, **more: Any) -> Any:
            self.written(what)
            return append(ledger, what, *rest, **more)

        patch.setattr(Hold, "keep", watched_keep)
        patch.setattr(Outbox, "put", watched_put)
        patch.setattr(Ledger, "append", watched_append)

    # --- into the hold --------------------------------------------------------------------------------------------

    def kept(self, event: Event) -> None:
        happened, world = self.truth.of(event), self.world
        hold_to("INV-1, INV-2", happened.bad is None, f"the hold takes an event that was not permitted: {happened.bad}")
        generation = world.daemon.standing.generation
        hold_to("INV-4", event.generation == generation, "the hold takes an event of another generation")
        hold_to("INV-3", self._is_proven(world.icon, happened), "nobody has shown before and after an event that it was recorded")

    def _is_proven(self, icon: Icon | None, happened: Happened) -> bool:
        """INV-3 and INV-17: one living icon, answering in time before the capture and to a challenge of after it; no sleep since."""
        if icon is None or not icon.alive or not icon.attached:
            return False
        timely = [one for one in icon.answers if one.answered_awake_ms - one.asked_awake_ms <= ANSWER_WITHIN_MS]
        before = [one for one in timely if self.slept_at < one.answered < happened.order]
        after = [one for one in timely if one.asked > happened.arrived]
        return any(one.showing is State.CONSENTED for one in before) and any(one.showing is State.CONSENTED for one in after)

    # --- into the outbox ------------------------------------------------------------------------------------------

    def sealed(self, envelope: Envelope) -> None:
        events = [self.truth.of(event) for event in unpack(_opened(envelope)).events]
        hold_to("INV-15", self.truth.told.permits(), "something is sealed although the person said no")
        for event in events:
            hold_to("INV-1, INV-14", event.bad is None, f"an event is sealed that must not be: {event.bad}")
            hold_to("INV-19", event.early or self._hold_is_over(event), "an event is sealed before its hold is over")
        self.envelopes[envelope.id] = events

    def _hold_is_over(self, event: Happened) -> bool:
        now, same = self.world.time.read(), event.boot == self.world.time.boot
        held_ms = now.boot_ms - event.at.boot_ms if same else now.wall_ms - event.at.wall_ms
        looked_ms = self.truth.looked_ms - event.looked_ms
        return held_ms >= self.truth.hold_s(event) * 1000 and looked_ms >= SEEN_AT_LEAST_MS

    # --- out ------------------------------------------------------------------------------------------------------

    def leaves(self, courier: Courier) -> None:
        """Some bytes of what this courier has in its hands leave the machine."""
        hold_to("INV-8, INV-10", self.truth.told.permits(), "bytes leave although the person said no")
        hold_to("INV-15", not self.truth.locked, "bytes leave although the session is locked")
        hold_to("INV-13", courier.alive, "a dead courier sends")
        for event in self.envelopes[courier.envelope_id]:
            hold_to("INV-1, INV-11, INV-14", event.bad is None, f"an event leaves that must not: {event.bad}")
        self.left.add(courier.envelope_id)

    # --- into the ledger ------------------------------------------------------------------------------------------

    def written(self, what: str) -> None:
        if what in STOPS:
            hold_to("INV-13", self.world.observer is None, f"hooks live while {what} is written down")
            hold_to("INV-13", self.world.courier is None, f"an upload runs while {what} is written down")


def _opened(envelope: Envelope) -> bytes:
    for key in KEYS:
        try:
            return open_purpose(envelope, key)
        except TransportError:
            continue
    raise Violation("INV-15: an envelope is sealed to a key that no policy has named")
