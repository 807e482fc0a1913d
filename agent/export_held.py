"""What is held on this machine, with ledger and receipts, as files. Never refuses: what cannot be read is said, the rest is written.

A broken ledger is copied as it is; held events need only the hold and its key, which the ledger does not guard.
"""

from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from agent import despite, show
from agent.errors import AgentError
from agent.folder import Folder
from agent.places import Places
from agent.reach import Reach
from consent.ledger import LedgerError
from transport.errors import TransportError

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
    receipt = despite.receipt(places)
    if receipt is not None:
        folder.put(RECEIPT, [receipt.encode(), b"\n"])
    else:
        folder.leave_out(RECEIPT)
    receipts = sorted(places.erasures.glob("*.receipt"))
    folder.put(ERASED, [content.strip() + b"\n" for path in receipts if (content := _content(path, held))])
    folder.close()
    return held


def _events(places: Places, held: Held) -> list[bytes]:
    """The held events as lines: from the daemon, or from the hold."""
    if not places.state.exists():
        return []
    try:
        return [msgspec.json.encode(show.plain(event)) + b"\n" for event in Reach(places).held(None)]
    except _READING as error:
        held.unreadable.append(f"the held events cannot be read ({str(error).partition(';')[0]})")
        return []


def _content(path: Path, held: Held) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        held.unreadable.append(f"{path} cannot be read ({error.strerror})")
        return b""
