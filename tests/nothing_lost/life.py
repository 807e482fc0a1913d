"""One writer's life over a state folder, as the daemon writes: it keeps, seals, forgets and notes, and says what it was promised.

What it says goes to a descriptor, one line each, after the call returned (`kept`, `noted`, `sealed`, `forgot`) or before it began
(`forgetting`). Whoever ends the life in the middle holds the folder to what was said: `ledger_of` and `state_of` read it again.

Run as `python -m tests.nothing_lost.life FOLDER SEED FIRST COUNT` it says so on its standard output; a fault is said as `refused`.
"""

import os
import random
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import MappingProxyType

from consent.event import Clocks, Event
from consent.gate import Admitted, Asked, decide
from consent.ledger import Ledger, LedgerError
from consent.scope import Scope
from consent.standing import Standing
from consent.vocabulary import Kind, Purpose, State, SurfaceId
from tests.transport.makers import CARE, GENERATION, STUDY, click
from transport.batch import unpack
from transport.envelope import open_subject, parse
from transport.errors import TransportError
from transport.hold import Hold
from transport.keystore import FileKeystore
from transport.outbox import Outbox
from transport.seal import Terms
from transport.sealing import seal_due
from transport.span import OfSurface
from transport.xwing import ReadingKey

BOOT = "this-start"
STAYS, GOES = SurfaceId("editor"), SurfaceId("mail")
SUBJECT_KEY, PURPOSE_KEY = ReadingKey.from_seed(b"s" * 32), ReadingKey.from_seed(b"p" * 32)
_GRANTS: dict[tuple[SurfaceId | None, Kind], Purpose] = {(STAYS, Kind.POINTER_BUTTON): STUDY, (GOES, Kind.POINTER_BUTTON): CARE}
STANDING = Standing(state=State.CONSENTED, generation=GENERATION, scope=Scope(MappingProxyType(_GRANTS)), indicator=True)
TERMS = Terms(
    standing=STANDING,
    policy_version=1,
    receipt_commitment=b"c" * 32,
    purpose_keys={STUDY: PURPOSE_KEY.public, CARE: PURPOSE_KEY.public},
    reading_key=SUBJECT_KEY.public,
    identity_secret=b"i" * 32,
    consent=1,
    day=date(2026, 11, 21),
)
Say = Callable[[str], None]


def at(instant: int) -> Clocks:
    return Clocks(instant, instant, 1_700_000_000_000 + instant)


def admitted(instant: int, surface: SurfaceId) -> Admitted:
    answer = decide(click(instant, surface=surface), STANDING, Asked.SEALING)
    assert isinstance(answer, Admitted)
    return answer


@dataclass
class Stores:
    """Hold, outbox and ledger of one folder, opened in the daemon's order."""

    folder: Path
    outbox: Outbox = field(init=False)
    hold: Hold = field(init=False)
    ledger: Ledger = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(mode=0o700, exist_ok=True)
        keys = FileKeystore(self.folder / "keys")
        self.ledger = Ledger(self.folder / "ledger")
        self.outbox = Outbox(self.folder / "outbox", keys)
        self.hold = Hold(self.folder / "hold", keys, boot=BOOT, consumed=self.outbox.segments())

    def close(self) -> None:
        self.hold.close()
        self.ledger.close()

    def opened(self) -> list[tuple[Event, ...]]:
        """The events of every envelope that waits, opened by their subject."""
        return [unpack(open_subject(parse(self.outbox.read(note.id)), SUBJECT_KEY)).events for note in self.outbox.waiting()]

    def present(self) -> Counter[int]:
        """How often each event is there, held or sealed, by its instant."""
        held = (event for part in self.hold.read() for event in part.events)
        return Counter(event.at.boot_ms for events in (held, *self.opened()) for event in events)

    def noted(self) -> list[int]:
        return [int(entry.data["number"]) for entry in self.ledger.entries]


def live(stores: Stores, rng: random.Random, first: int, say: Say) -> int:
    """One act of the writer; the next free instant."""
    match rng.choices(["keep", "note", "seal", "forget"], [70, 12, 10, 8])[0]:
        case "keep":
            surface, count = rng.choice([STAYS, STAYS, GOES]), rng.randrange(1, 4)
            instants = range(first, first + count)
            counts = stores.hold.keep([admitted(instant, surface) for instant in instants], at(first * 1000))
            if counts.full_events:
                say(f"refused keep {counts.full_events}")
            else:
                for instant in instants:
                    say(f"kept {instant} {surface}")
            return first + count
        case "note":
            stores.ledger.append("note", at(first), BOOT, {"number": first})
            say(f"noted {first}")
            return first + 1
        case "seal":
            counts_sealed = seal_due(stores.hold, stores.outbox, TERMS, now=at(first), term=None)
            say("sealed" if counts_sealed.waits is None else "refused seal")
        case _:
            say("forgetting")
            forgotten = stores.hold.forget(OfSurface(GOES))
            stores.outbox.forget(OfSurface(GOES))
            say("forgot" if forgotten.beyond_n == 0 else "forgot beyond")
    return first


@dataclass
class Promised:
    """What a folder's writers were promised so far, over all their lives.

    Attributes:
        kept: Instants that `keep` returned for and nobody forgot.
        going: Those of them that an unfinished forget may have dropped.
        gone: Instants that must never be seen again.
        noted: Numbers in the ledger, in order.
    """

    kept: dict[int, str] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)
    noted: list[int] = field(default_factory=list)
    forgetting: bool = False
    beyond: bool = False

    def hear(self, line: str) -> None:
        """One line of what a writer said."""
        match line.split():
            case ["kept", instant, surface]:
                self.kept[int(instant)] = surface
            case ["noted", number]:
                self.noted.append(int(number))
            case ["forgetting"]:
                self.forgetting = True
            case ["forgot", *beyond]:
                self.gone |= {instant for instant, surface in self.kept.items() if surface == GOES}
                self.kept = {instant: surface for instant, surface in self.kept.items() if surface != GOES}
                self.forgetting, self.beyond = False, self.beyond or bool(beyond)

    def hold_to(self, stores: Stores) -> None:
        """Fail if the reopened stores break a promise; then take what is there as the new promise."""
        present, noted = stores.present(), stores.noted()
        may_miss = {instant for instant, surface in self.kept.items() if self.forgetting and surface == GOES}
        assert set(self.kept) - may_miss <= set(present), "something that was kept is lost"
        assert not [instant for instant, times in present.items() if times != 1], "something is there twice"
        assert not self.gone & set(present), "something that was forgotten is back"
        assert noted[: len(self.noted)] == self.noted, "a line of the ledger is lost"
        assert len(noted) <= len(self.noted) + 1
        assert stores.hold.recovered.quarantined == stores.outbox.damaged == 0, "what nobody damaged was set aside"
        self.gone |= may_miss - set(present)
        surfaces = {event.at.boot_ms: str(event.surface) for part in stores.hold.read() for event in part.events}
        surfaces |= {event.at.boot_ms: str(event.surface) for events in stores.opened() for event in events}
        self.kept, self.noted, self.forgetting = surfaces, noted, False


def main() -> None:
    folder, seed, first, count = Path(sys.argv[1]), *map(int, sys.argv[2:5])

    def say(line: str) -> None:
        os.write(1, f"{line}\n".encode())

    rng = random.Random(seed)
    stores = Stores(folder)
    say("open")
    for _ in range(count):
        try:
            first = live(stores, rng, first, say)
        except (OSError, LedgerError, TransportError) as error:
            say(f"refused {type(error).__name__}")
            return
    say("end")


if __name__ == "__main__":
    main()
