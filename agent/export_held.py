"""What is held on this machine, with ledger and receipts, as files. Never refuses: what cannot be read is said, the rest is written.

A broken ledger is copied as it is; held events need only the hold and its key, which the ledger does not guard.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from agent import clock, show
from agent.errors import AgentError
from agent.folder import Folder
from agent.lock import take_over
from agent.places import Places
from agent.reach import Reach
from consent.event import Event
from consent.ledger import LedgerError, readable
from consent.standing import Happening
from transport import hold
from transport.errors import TransportError
from transport.keystore import choose

EVENTS, LEDGER, RECEIPT, ERASED = "events.jsonl", "ledger.jsonl", "receipt.json", "erasure-receipts.jsonl"
FILES = (EVENTS, LEDGER, RECEIPT, ERASED)
_READING = (AgentError, LedgerError, TransportError, OSError)


@dataclass(slots=True)
class Held:
    """What an export of what is held wrote, in counts, and what could not be read, in words."""

    events: int = 0
    ledger_lines: int = 0
    unreadable: list[str] = field(default_factory=list)


def export(places: Places, folder: Folder) -> Held:
    """Write all of it that can be read. Raises OSError only if the folder refuses."""
    held = Held()
    events = _events(places, held)
    held.events = len(events)
    folder.put(EVENTS, events)
    ledgers = [places.ledger, *sorted(places.state.glob("ledger.broken-*"))]
    raw = [content for path in ledgers if (content := _content(path, held))]
    folder.put(LEDGER, raw)
    held.ledger_lines = sum(content.count(b"\n") for content in raw)
    receipt = _receipt(raw[0]) if raw else None
    if receipt is not None:
        folder.put(RECEIPT, [receipt.encode(), b"\n"])
    else:
        folder.leave_out(RECEIPT)
    receipts = sorted(places.erasures.glob("*.receipt"))
    folder.put(ERASED, [content.strip() + b"\n" for path in receipts if (content := _content(path, held))])
    folder.close()
    return held


def _events(places: Places, held: Held) -> list[bytes]:
    """The held events as lines: from the daemon or the state, and if these refuse, from the hold alone."""
    if not places.state.exists():
        return []
    ways: tuple[Callable[[], Iterator[Event]], ...] = (lambda: Reach(places).held(None), lambda: _from_the_hold(places))
    for read in ways:
        try:
            return [msgspec.json.encode(show.plain(event)) + b"\n" for event in read()]
        except _READING as error:
            why = str(error).partition(";")[0]
    held.unreadable.append(f"the held events cannot be read ({why})")
    return []


def _from_the_hold(places: Places) -> Iterator[Event]:
    """What is held, whatever ledger and settings are like. Takes the daemon's lock; state is taken back from others first."""
    with contextlib.suppress(AgentError):
        places.prepare()
    places.tighten()
    lock = take_over(places.lock)
    try:
        opened = hold.Hold(places.hold, choose(places.keys), boot=clock.boot_id())
        try:
            for part in opened.read():
                yield from part.events
        finally:
            opened.close()
    finally:
        lock.release()


def _content(path: Path, held: Held) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        held.unreadable.append(f"{path} cannot be read ({error.strerror})")
        return b""


def _receipt(ledger: bytes) -> str | None:
    """The last receipt in a ledger, as far as its chain holds."""
    given = [entry.data.get("receipt") for entry in readable(ledger) if entry.what == Happening.CONSENT_GIVEN]
    return given[-1] if given and isinstance(given[-1], str) else None
