"""Having what was sent erased with the recovery code, all of it or what lies in a span. Refuses to erase before it was said what.

A batch is erased whole: one that the span only touches, too. One that came and cannot be opened counts as touched, if it can be.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from agent import sent
from agent.sent import Asker, Missing, Terms
from consent.vocabulary import Purpose
from transport.erasing import MAX_IDS, Asking, Receipt
from transport.errors import TransportError
from transport.listing import Gone, Stored
from transport.retrieving import Epoch, RetrievalError, opened
from transport.xwing import ReadingKey


@dataclass(frozen=True, slots=True)
class Between:
    """A span of wall time, both ends in it, in milliseconds since 1970 (UTC), and the first day on which anything of it was sealed."""

    from_ms: int
    to_ms: int
    first_day: date

    def touches(self, walls_ms: Sequence[int]) -> bool:
        """Whether any of these instants lies in it."""
        return any(self.from_ms <= each <= self.to_ms for each in walls_ms)

    def cuts(self, walls_ms: Sequence[int]) -> bool:
        """Whether others of them do not."""
        return not all(self.from_ms <= each <= self.to_ms for each in walls_ms)


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is to be erased, and what could not be judged.

    Attributes:
        batches: Ids, by epoch.
        cut: How many of them also hold events from outside of the span.
        unreadable: How many of them do not open, and are erased because they may hold something of the span.
    """

    batches: dict[Epoch, list[str]]
    cut: int
    unreadable: int
    missing: Sequence[Missing]
    pseudonyms: int

    @property
    def count(self) -> int:
        """How many batches."""
        return sum(map(len, self.batches.values()))


@dataclass(frozen=True, slots=True)
class Erased:
    """What the receipts say.

    Attributes:
        batches: How many are gone.
        last_copy_dies: The latest of the days; None if nothing was erased.
        keys: The keys that signed, hexadecimal: one, if it is one receiver.
        missing: What has no receipt.
    """

    batches: int
    last_copy_dies: date | None
    keys: frozenset[str]
    missing: Sequence[Missing]


async def choose(  # noqa: PLR0913 - as for an export
    terms: Terms,
    reading_key: ReadingKey,
    span: Between | None,
    *,
    today: date,
    consents: Sequence[int],
    told: Callable[[int, int], None],
) -> Chosen:
    """List what there is; with a span, fetch and open it to see what it touches. Nothing is erased yet."""
    first = None if span is None else span.first_day - timedelta(days=1)  # a clock may have been set in between
    epochs = await sent.survey(terms, today=today, first=first, consents=consents)
    batches: dict[Epoch, list[str]] = {}
    cut = unreadable = 0

    async def look(asker: Asker, epoch: Epoch) -> list[Missing]:
        nonlocal cut, unreadable
        missing = []
        for stored in await asker.listed(asker.signer(epoch)):
            if span is not None:
                try:
                    walls_ms = await _walls_ms(asker, epoch, stored, reading_key)
                except Gone:
                    continue
                except RetrievalError:
                    unreadable += 1
                except TransportError as error:
                    missing.append(Missing(epoch, stored.id, str(error).partition(";")[0]))
                    continue
                else:
                    if not span.touches(walls_ms):
                        continue
                    cut += span.cuts(walls_ms)
            batches.setdefault(epoch, []).append(stored.id)
        return missing

    missing = await sent.each(terms, epochs, look, lambda done: told(done, len(epochs)))
    return Chosen(batches, cut, unreadable, missing, len(epochs))


async def _walls_ms(asker: Asker, epoch: Epoch, stored: Stored, reading_key: ReadingKey) -> list[int]:
    batch = opened(await asker.fetched(asker.signer(epoch), stored.id), epoch, reading_key)
    return [event.at.wall_ms for event in batch.events]


async def erase(terms: Terms, chosen: Chosen, keep: Callable[[Asking, Receipt], None], told: Callable[[int], None]) -> Erased:
    """Have it erased; each receipt is kept as it comes."""
    receipts: list[Receipt] = []

    async def ask(asker: Asker, epoch: Epoch) -> list[Missing]:
        ids = sorted(chosen.batches[epoch])
        pseudonym = asker.signer(epoch).pseudonym
        for begin in range(0, len(ids), MAX_IDS):
            asking = Asking(epoch.day.isoformat(), Purpose(epoch.purpose), epoch.n, pseudonym, tuple(ids[begin : begin + MAX_IDS]))
            receipt = await asker.erased(asking)
            keep(asking, receipt)
            receipts.append(receipt)
        return []

    missing = await sent.each(terms, list(chosen.batches), ask, told)
    dies = max((receipt.last_copy_dies for receipt in receipts), default=None)
    return Erased(sum(receipt.erased for receipt in receipts), dies, frozenset(receipt.key for receipt in receipts), missing)
