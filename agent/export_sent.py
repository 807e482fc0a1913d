"""Everything that was sent, fetched, verified, opened with the recovery code and written into a folder. Refuses to write half a file.

What cannot be fetched or opened is listed in missing.jsonl with the reason; the rest is there, and it can be done again.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import msgspec

from agent import sent, show
from agent.folder import Folder
from agent.sent import Asker, Missing, Terms
from transport.batch import Batch
from transport.errors import TransportError
from transport.listing import Gone, Stored
from transport.retrieving import Epoch, opened
from transport.xwing import ReadingKey

EVENTS, BATCHES, MISSING = "events.jsonl", "batches.jsonl", "missing.jsonl"
FILES = (EVENTS, BATCHES, MISSING)


@dataclass(frozen=True, slots=True)
class Fetched:
    """A batch that lies in the folder as a piece. `first_ms`: wall time of its first event."""

    epoch: Epoch
    stored: Stored
    pseudonym: str
    batch: Batch
    first_ms: int


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export wrote, in counts, and what it could not get."""

    pseudonyms: int
    batches: int
    events: int
    missing: Sequence[Missing]


async def export(  # noqa: PLR0913 - whom to ask, with which key, where to, when: each is a separate thing
    terms: Terms, reading_key: ReadingKey, to: Path, *, today: date, consents: Sequence[int], told: Callable[[int, int], None]
) -> Exported:
    """Fetch all of it into the folder `to`, which is made once the receiver has answered.

    Raises:
        RetrievalError: the receiver does not answer at all.
        CannotDo: the folder cannot be had.
        OSError: the disk refuses.
    """
    epochs = await sent.survey(terms, today=today, first=None, consents=consents)
    folder = Folder(to, FILES)
    found: list[Fetched] = []

    async def take(asker: Asker, epoch: Epoch) -> list[Missing]:
        signer = asker.signer(epoch)
        missing = []
        for stored in await asker.listed(signer):
            try:
                batch = opened(await asker.fetched(signer, stored.id), epoch, reading_key)
            except Gone:
                continue
            except TransportError as error:
                missing.append(Missing(epoch, stored.id, str(error).partition(";")[0]))
                continue
            await asyncio.to_thread(folder.piece, stored.id, _lines(show.plain(event) for event in batch.events))
            bare = msgspec.structs.replace(batch, events=())
            found.append(Fetched(epoch, stored, signer.pseudonym.hex(), bare, min(event.at.wall_ms for event in batch.events)))
        return missing

    missing = await sent.each(terms, epochs, take, lambda done: told(done, len(epochs)))
    return _write(folder, found, missing, len(epochs))


def _write(folder: Folder, found: list[Fetched], missing: list[Missing], pseudonyms: int) -> Exported:
    found.sort(key=lambda one: (one.first_ms, one.stored.id))
    kept: list[dict[str, object]] = []
    folder.put(EVENTS, _without_repeats(folder, found, kept))
    folder.put(BATCHES, [_lines(kept)])
    if missing:
        folder.put(MISSING, [_lines(_told(one) for one in missing)])
    else:
        folder.leave_out(MISSING)
    folder.close()
    events = sum(one["events"] for one in kept if isinstance(one["events"], int))
    return Exported(pseudonyms, len(kept), events, missing)


def _without_repeats(folder: Folder, found: Sequence[Fetched], kept: list[dict[str, object]]) -> Iterator[bytes]:
    """Each batch's lines, without those that a batch before it had of the same segments: a crash may have sealed a segment twice."""
    holders: dict[bytes, list[str]] = {}
    for one in found:
        lines = folder.piece_of(one.stored.id).splitlines(keepends=True)
        segments = one.batch.facts.source.segments
        earlier = {name for segment in segments for name in holders.get(segment, ())}
        known = Counter(line for name in earlier for line in folder.piece_of(name).splitlines(keepends=True))
        fresh = []
        for line in lines:
            if known[line] > 0:
                known[line] -= 1
            else:
                fresh.append(line)
        for segment in segments:
            holders.setdefault(segment, []).append(one.stored.id)
        kept.append(_facts(one, len(fresh)))
        yield b"".join(fresh)


def _facts(one: Fetched, events: int) -> dict[str, object]:
    """What a line of batches.jsonl says."""
    facts = one.batch.facts
    return {
        "id": one.stored.id,
        "day": one.epoch.day.isoformat(),
        "purpose": one.epoch.purpose,
        "consent": one.epoch.n,
        "pseudonym": one.pseudonym,
        "stored_on": one.stored.stored_on.isoformat(),
        "bytes": one.stored.bytes,
        "policy_version": facts.source.policy_version,
        "receipt_commitment": facts.source.receipt_commitment.hex(),
        "events": events,
        "n": facts.n,
        "events_by_kind": {kind.value: count for kind, count in sorted(facts.events_by_kind.items())},
    }


def _told(one: Missing) -> dict[str, object]:
    """What a line of missing.jsonl says."""
    return {"day": one.epoch.day.isoformat(), "purpose": one.epoch.purpose, "consent": one.epoch.n, "batch": one.batch, "why": one.why}


def _lines(rows: Iterator[dict[str, object]] | Sequence[dict[str, object]]) -> bytes:
    return b"".join(msgspec.json.encode(row) + b"\n" for row in rows)
