"""One opening, from top to bottom: refuse early, record, rebuild once, read, write. Refuses to write anything unless everything opened."""

from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from custody.access import Access, note, state
from custody.batches import Opened, open_batch, trajectories, without_repeats
from custody.errors import CustodyError
from custody.events import encode_events
from custody.files import make_folder, write_new
from custody.keys import read_private, read_purpose
from custody.quorum import combine, present
from custody.source import Source, source_of
from custody.step import encode
from transport.xwing import ReadingKey

STEPS_FILE = "steps.jsonl"
EVENTS_FILE = "events.jsonl"
ACCESS_FILE = "access.json"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be opened, as it was asked for.

    Attributes:
        purpose: folder with purpose.json.
        keys: custodians' private key files.
        place: address of a receiver, or folder with envelopes.
        batches: ids; none for all of the purpose.
        reason: for the log.
        steps: folder for steps.jsonl, or None.
        out: folder for events.jsonl, or None.
    """

    purpose: Path
    keys: tuple[Path, ...]
    place: str
    batches: tuple[str, ...]
    reason: str
    steps: Path | None
    out: Path | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it.

    Attributes:
        batches: how many were opened.
        repeats: how many of them held nothing that others did not.
        erased: how many their subjects had erased meanwhile.
        events: how many were written.
        record: number in the receiver's log, or None where there is no log.
        files: what was written.
    """

    batches: int
    repeats: int
    erased: int
    events: int
    record: int | None
    files: tuple[Path, ...]


def open_batches(wish: Wish, now: datetime) -> Outcome:
    """Opens and writes what is wished for. The process was closed to others before.

    Raises:
        CustodyError: anything that is wrong; nothing was written then.
    """
    targets = _targets(wish)
    purpose_key = read_purpose(wish.purpose)
    keys = [read_private(path) for path in wish.keys]
    present(purpose_key, keys)  # too few is said before the log names an access that cannot happen
    with ExitStack() as stack:
        source = stack.enter_context(source_of(wish.place))
        batches = wish.batches or source.listed(purpose_key.purpose)
        if not batches:
            raise CustodyError(f"there is no batch of purpose {purpose_key.purpose}; nothing was recorded, opened or written")
        access = state(purpose_key.purpose, wish.reason, batches)
        record = source.record(access)
        private = combine(purpose_key, keys)
        opened = _open_each(source, access, private)
        del private, keys
    kept = without_repeats(opened)
    contents = {path: _content(name, kept, access, record, now) for path, name in targets.items()}
    for path, raw in contents.items():
        write_new(path, raw, mode=0o600)
    return Outcome(
        batches=len(opened),
        repeats=len(opened) - len(kept),
        erased=len(access.batches) - len(opened),
        events=sum(len(one.events) for one in kept),
        record=record,
        files=tuple(targets),
    )


def _open_each(source: Source, access: Access, private: ReadingKey) -> list[Opened]:
    """One envelope at a time in memory; those that their subjects had erased meanwhile are left out."""
    fetched = ((batch, source.fetch(batch)) for batch in access.batches)
    return [open_batch(batch, raw, purpose=access.purpose, private=private) for batch, raw in fetched if raw is not None]


def _targets(wish: Wish) -> dict[Path, str]:
    """The files to be written. They are looked for before the access is recorded, which cannot be taken back."""
    targets: dict[Path, str] = {}
    for folder, name in ((wish.steps, STEPS_FILE), (wish.out, EVENTS_FILE)):
        if folder is not None:
            targets |= {folder / name: name, folder / ACCESS_FILE: ACCESS_FILE}
    if not targets:
        raise CustodyError("nothing would be written; say where to with --steps DIR or --out DIR")
    for path in targets:
        if path.exists():
            raise CustodyError(f"{path} is there already and is not written over; name another folder")
    for path in targets:
        make_folder(path.parent)
    return targets


def _content(name: str, opened: list[Opened], access: Access, record: int | None, now: datetime) -> bytes:
    if name == STEPS_FILE:
        return encode(trajectories(opened))
    if name == EVENTS_FILE:
        return encode_events(opened)
    return note(access, record, now)
