"""`volens-receiver backup` and `restore`: bodies and rows, in a folder a day. Refuses to copy slots or the erasure log into a backup.

A backup without slots is noise to whoever has it, with every key there is. What was erased after it was made is erased again before
anything is served: the log of erasures is where it always was, not in the backup. No exemption request is in one: it could not be taken
back there. Backups older than `backups_kept_days` are destroyed by the next one and not restored, so that the day on an erasure's
receipt is true.
"""

import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from receiver import migrate
from receiver.errors import ReceiverError
from receiver.file_store import FileStore
from receiver.site import BODIES, DATABASE, SETTINGS, Site
from transport import disk

_PART = ".part"
_COPIED = (SETTINGS, "tuf")  # keys have a backup of their own: they sign for this receiver


@dataclass(frozen=True, slots=True)
class Made:
    """What a backup did: how many bodies it holds, and how many older backups it destroyed."""

    bodies: int
    destroyed: int


def make(site: Site, target: Path, today: date) -> Made:
    """Makes the backup of a day in `target`, and destroys those whose days are over. The receiver may go on serving.

    Rows first, then bodies: what came in between has no row in the backup, and a restore drops it.

    Raises:
        ReceiverError: the target cannot be used, or has today's backup.
    """
    try:
        disk.make_private(target)
        place = target / today.isoformat()
        if place.exists():
            raise ReceiverError(f"{place} is there already", "one backup a day is enough, or move that one away")
        part = target / (today.isoformat() + _PART)
        shutil.rmtree(part, ignore_errors=True)
        disk.make_private(part)
        _copy_rows(site.directory / DATABASE, part / DATABASE)
        for name in _COPIED:
            _copy(site.directory / name, part / name)
        bodies = FileStore(part / BODIES)
        bodies.make()
        copied = _copy_bodies(FileStore(site.directory / BODIES), bodies)
        os.sync()  # one flush for many files; a backup acknowledges nothing before
        part.rename(place)
        disk.sync_folder(target)
        return Made(copied, _destroy_old(target, today - timedelta(days=site.settings.backups_kept_days)))
    except (OSError, sqlite3.Error) as error:
        raise ReceiverError(f"the backup was not made ({_fault(error)})", "see that the target is a private folder with room") from error
    except disk.NotPrivate as error:
        raise ReceiverError(error.what, error.do) from None


def restore(site: Site, source: Path, today: date) -> None:
    """Puts rows and bodies of a backup in the place of those of a receiver that is not serving; the next start replays the erasure log.

    Keys, settings, policy, slots and the erasure log stay as they are. Bodies whose slots are gone are dropped: they were erased, or their
    retention was over, or their slots are lost, and then nobody can open them any more.

    Raises:
        ReceiverError: the source is no backup, or older than backups live.
    """
    made_on = _day_of(source)
    if made_on is None or not (source / DATABASE).is_file() or not (source / BODIES).is_dir():
        raise ReceiverError(f"{source} is no backup", "name the folder of a day that `volens-receiver backup` made")
    if made_on + timedelta(days=site.settings.backups_kept_days) <= today:
        raise ReceiverError(f"{source} is older than backups may be", "its erasures may be forgotten; destroy it and restore a newer one")
    site.engine.dispose()
    try:
        _bring(source, site.directory)
        os.sync()
        _swap(site.directory)
        migrate.to_newest(site.directory / DATABASE)
        _drop_without_slots(site, FileStore(site.directory / BODIES))
        os.sync()
    except (OSError, sqlite3.Error, DBAPIError) as error:
        raise ReceiverError(f"the backup was not restored ({_fault(error)})", "make room and restore it again") from error


def _bring(source: Path, directory: Path) -> None:
    """Copies a backup beside what is there: one that cannot be read to its end, or finds no room, has taken nothing away."""
    fresh, bodies = directory / (DATABASE + _PART), directory / (BODIES + _PART)
    shutil.rmtree(bodies, ignore_errors=True)
    shutil.copytree(source / BODIES, bodies)
    shutil.copyfile(source / DATABASE, fresh)
    with closing(sqlite3.connect(fresh)) as rows:
        said = rows.execute("PRAGMA quick_check").fetchone()[0]
    if said != "ok":
        raise sqlite3.DatabaseError("its database is damaged")


def _swap(directory: Path) -> None:
    """Puts it in the place of what is there. A crash in between leaves what the next restore, or a start, can go on from."""
    for suffix in ("-wal", "-shm"):
        (directory / (DATABASE + suffix)).unlink(missing_ok=True)
    (directory / (DATABASE + _PART)).replace(directory / DATABASE)
    shutil.rmtree(directory / BODIES, ignore_errors=True)
    (directory / (BODIES + _PART)).rename(directory / BODIES)


def _drop_without_slots(site: Site, bodies: FileStore) -> None:
    dead = [name for name in bodies.names() if not site.vault.has_slots(name)]
    bodies.destroy(dead)
    with closing(sqlite3.connect(site.directory / DATABASE)) as rows, rows:
        known = [row[0] for row in rows.execute("SELECT id FROM batch WHERE NOT erased")]
        rows.executemany("DELETE FROM batch WHERE id = ?", [(name,) for name in known if not bodies.has(name)])


def _copy_rows(source: Path, target: Path) -> None:
    os.close(disk.create(target))
    with closing(sqlite3.connect(source)) as rows, closing(sqlite3.connect(target)) as copy:
        rows.backup(copy)
        copy.execute("DELETE FROM exemption")  # who cancels one has it forgotten here; in a backup it would not be
        copy.commit()
        copy.execute("VACUUM")


def _copy_bodies(source: FileStore, target: FileStore) -> int:
    copied = 0
    for name in source.names():
        try:
            _copy(source.path(name), target.path(name))
        except FileNotFoundError:
            continue  # erased while we were copying
        copied += 1
    return copied


def _copy(source: Path, target: Path) -> None:
    (shutil.copytree if source.is_dir() else shutil.copy2)(source, target)


def _destroy_old(target: Path, last_dead: date) -> int:
    """Those that were never finished among them: a crash leaves bodies in one, too."""
    named = [(place, _day_of(target / place.name.removesuffix(_PART))) for place in target.iterdir()]
    old = [place for place, day in named if day is not None and day <= last_dead]
    for place in old:
        shutil.rmtree(place)
    return len(old)


def _fault(error: Exception) -> str:
    """What the system says of it, in a word or two."""
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return str(error.orig) if isinstance(error, DBAPIError) else str(error)


def _day_of(place: Path) -> date | None:
    try:
        return date.fromisoformat(place.name)
    except ValueError:
        return None
