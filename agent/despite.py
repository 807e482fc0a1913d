"""A person's rights where ledger or keys do not open: each is done as far as it can be, and says what could not be.

Nothing here opens the ledger for a decision. What is decided is written beside it, or into a new one, and what is in doubt is
destroyed rather than kept.
"""

import errno
from collections.abc import Iterator
from dataclasses import dataclass

from agent import beside
from agent.errors import StateUnsafe
from agent.places import Places
from agent.record import FORGOTTEN, Record
from agent.subject import GONE
from agent.words import forgotten_words
from consent.event import Clocks, Event
from consent.ledger import LedgerError, LedgerUnwritable, salvage
from consent.standing import Happening
from transport import hold, outbox
from transport.erasing import askings
from transport.erasure import Erasures
from transport.errors import TransportError
from transport.keystore import Keystore, Refusing, choose
from transport.notes import Note
from transport.span import Everything, Span

BROKEN = (LedgerError, TransportError, StateUnsafe, OSError)
"""What keeps a subject's state from being opened."""


@dataclass(frozen=True, slots=True)
class _Stores:
    """Hold and outbox without a ledger."""

    hold: hold.Hold
    outbox: outbox.Outbox


def _open(places: Places, boot: str) -> _Stores:
    keys = choose(places.keys)
    waiting = outbox.Outbox(places.outbox, keys)
    return _Stores(hold.Hold(places.hold, keys, boot=boot, consumed=waiting.segments()), waiting)


def withdraw(places: Places, boot: str, now: Clocks) -> str:
    """A withdrawal where hold or keystore do not open: written down, and every file destroyed. What to tell the person.

    The keys are destroyed, and the receiver is asked to erase, as soon as they can be: the ledger says that a purge is owed, and
    the notes of what waited stay, sealed, so that it is known then what to ask for.
    """
    keys = Refusing()
    try:
        _write_no(places, keys, boot, now)
    except (LedgerError, OSError) as error:
        if not is_full(error):
            raise
        _destroy(places, keys)  # which makes room
        _write_no(places, keys, boot, now)
    _destroy(places, keys)
    return f"Your consent is withdrawn. {GONE}. The receiver is asked to erase what it has as soon as your keys can be reached."


def is_full(error: Exception) -> bool:
    """Whether a ledger may be sound, and only cannot be written now."""
    return isinstance(error, LedgerUnwritable) or (isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT))


def _write_no(places: Places, keys: Keystore, boot: str, now: Clocks) -> None:
    record = Record(places, keys, boot)
    try:
        record.happen(Happening.WITHDRAWN, now)
    finally:
        record.close()


def pause(places: Places, minutes: int | None, boot: str, now: Clocks, why: Exception) -> str:
    """A pause that no ledger can take: a file beside it, which the daemon honours until a person resumes."""
    until = f"for {minutes} minutes, and on until you resume" if minutes else "until you resume"
    beside.close(places, minutes, now, boot)
    return f"Paused {until}. The ledger cannot be used ({_what(why)}), so this stands in a file beside it."


def forget(places: Places, span: Span, boot: str, now: Clocks, why: Exception) -> str:
    """Forgetting without a ledger; without keys all that is held and waits goes, because nobody can tell what lies in the span."""
    try:
        stores = _open(places, boot)
    except (TransportError, StateUnsafe, OSError) as error:
        _destroy(places, Refusing())
        beside.note_later(places, FORGOTTEN, now, {"events": 0, "envelopes": 0, "sent": [], "all": True}, span)
        because = "" if isinstance(span, Everything) else ": what lies in your span could not be told from the rest"
        return f"{GONE}{because} ({_what(error)}). The receiver is asked to erase as soon as your keys can be reached."
    forgotten = stores.hold.forget(span)
    destroyed = stores.outbox.forget(span)
    stores.hold.close()
    sent = stores.outbox.sent_notes(span)
    asked = _ask(places, [*sent, *destroyed])
    data = {"events": forgotten.events, "envelopes": len(destroyed), "sent": [note.id for note in sent]}
    beside.note_later(places, FORGOTTEN, now, data)
    words = forgotten_words(forgotten.events, destroyed, sent if asked else [])
    more = "" if asked or not (sent or destroyed) else " The receiver could not be asked to erase: the disk refuses."
    return f"{words}{more} The ledger cannot be used ({_what(why)}); it is noted there when it can be."


def held(places: Places, span: Span | None, boot: str) -> Iterator[Event]:
    """What is held, without a ledger. Raises KeystoreError and others of BROKEN: without its keys nobody can read it."""
    stores = _open(places, boot)
    for part in stores.hold.read(span):
        yield from part.events
    stores.hold.close()


def receipt(places: Places) -> str | None:
    """The last receipt that a broken ledger still tells of; None if there is none, or a withdrawal came after it."""
    found: str | None = None
    for entry in salvage(places.ledger):
        if entry.what == Happening.CONSENT_GIVEN:
            found = str(entry.data.get("receipt", "")) or found
        elif entry.what == Happening.WITHDRAWN:
            found = None
    return found


def _destroy(places: Places, keys: Keystore) -> None:
    hold.purge(places.hold, keys)
    outbox.purge(places.outbox, keys, keep_notes=True)


def _ask(places: Places, notes: list[Note]) -> bool:
    try:
        Erasures(places.erasures).ask(askings(notes, everything=False))
    except (OSError, TransportError):
        return False
    return True


def _what(error: Exception) -> str:
    """What is wrong, without what to do about it."""
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return str(error).split("; ", maxsplit=1)[0]
