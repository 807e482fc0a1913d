"""What happens when the hold is opened: torn tails are cut, damage is set aside, and what was interrupted is completed.

Refuses to guess: a segment that does not read is never sent and never silently removed; it is renamed and counted.
"""

import os
from collections.abc import Iterable

from transport import cutting, disk, forgetting
from transport.held import Entry, Recovered
from transport.segment import SegmentError, Unfinished
from transport.shelf import BAD, NEW, SEGMENT, Shelf, entry_of


def recover(shelf: Shelf, consumed: Iterable[bytes]) -> Recovered:
    """Fill the shelf's index from its files.

    Args:
        shelf: just made.
        consumed: ids of segments that envelopes in the outbox already hold; they are unlinked before anything is sealed again.

    Raises:
        NotPrivate: a file of the hold is a link, another's, or open to others.
        OSError: the disk cannot be read.
    """
    cutting.finish(shelf)
    pending = forgetting.resume(shelf)
    if pending is not None and pending[0] is None:
        forgetting.finish(shelf)  # the key was replaced already: only what it opens is still there
    torn, quarantined = _load_all(shelf)
    taken_n = shelf.drop([segment_id for segment_id in set(consumed) if segment_id in shelf.entries])
    if pending is None:
        return Recovered(torn, quarantined, taken_n)
    span, held_n = pending
    if span is not None:
        for unfinished in shelf.files(NEW):
            unfinished.unlink()
        forgetting.forget(shelf, span)
        forgetting.finish(shelf)  # also when nothing was left to forget
    return Recovered(torn, quarantined, taken_n, max(0, held_n - taken_n - shelf.n()))


def _load_all(shelf: Shelf) -> tuple[int, int]:
    torn = quarantined = 0
    for path in shelf.files(SEGMENT):
        disk.check_private(path)
        try:
            contents = shelf.load(path)
        except Unfinished:
            path.unlink()
            continue
        except SegmentError:
            path.rename(path.with_suffix(BAD))
            quarantined += 1
            continue
        if contents.good_bytes < path.stat().st_size:
            torn += 1
            with disk.closing(disk.open_private(path)) as fd:
                os.ftruncate(fd, contents.good_bytes)
                disk.sync_data(fd)
        if not contents.events:
            path.unlink()
            continue
        entry: Entry = entry_of(contents)
        shelf.entries[entry.id] = entry
    disk.sync_folder(shelf.folder)
    shelf.sort()
    return torn, quarantined
