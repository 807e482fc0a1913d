"""A backup has no slots; whatever was erased after it was made stays erased; and no backup outlives the day on a receipt."""

import os
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from receiver import backup
from receiver.errors import ReceiverError
from receiver.site import open_site
from tests.receiver import stand
from tests.receiver.stand import CANARY, PURPOSE, envelope, person, run
from transport.envelope import join, open_purpose, parse, split
from transport.header import EnvelopeError


def _backup(directory: Path, target: Path) -> Path:
    made = run("backup", directory, target)
    assert made.returncode == 0, made.stderr
    (place,) = (path for path in target.iterdir() if path.name == str(datetime.now(UTC).date()))
    return place


def _opened(folder: Path, sealed_ids: list[str]) -> list[str]:
    """Which of these can be opened with the purpose's key by whoever has all files of a folder."""
    files = {path.name + path.parts[-3]: path.read_bytes() for path in folder.rglob("*") if path.is_file() and len(path.name) == 64}
    found = []
    for batch_id in sealed_ids:
        try:
            raw = join(files.get(batch_id + "slots", b""), files.get(batch_id + "bodies", b""))
            assert open_purpose(parse(raw), stand.PURPOSE_KEY).startswith(CANARY)
            found.append(batch_id)
        except EnvelopeError:
            continue
    return found


def test_a_backup_opens_nothing_with_the_purpose_key_in_hand(tmp_path: Path) -> None:
    """Bodies and rows, no slot, no entry of the erasure log, private, and sound after a restore."""
    directory = stand.make(tmp_path)
    sealed = envelope()
    with stand.serving(directory) as service:
        service.put(sealed)
        place = _backup(directory, tmp_path / "backups")
    assert _opened(directory, [sealed.id]) == [sealed.id]
    assert _opened(place, [sealed.id]) == []
    slots = split(sealed)[0]
    for path in place.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
        assert path.is_dir() or slots[:32] not in path.read_bytes()
    assert not {"slots", "erasures", "keys"} & {path.name for path in place.iterdir()}
    assert run("restore", directory, place).returncode == 0
    assert run("check", directory).stdout.startswith("sound 1, erased 0, unfinished 0, wrong 0")


@pytest.mark.parametrize("slots_too", [False, True])
def test_yesterdays_backup_brings_nothing_erased_back(tmp_path: Path, slots_too: bool) -> None:
    """Erased after the backup, restored, also with an old copy of the slots: nothing erased opens, is listed, or is taken in again."""
    directory, target = stand.make(tmp_path), tmp_path / "backups"
    who, everything, other = person(1), person(2), person(3)
    listed, kept = envelope(who), envelope(who)
    gone = [envelope(everything), envelope(everything)]
    theirs = envelope(other)
    erased = [listed.id, *(sealed.id for sealed in gone)]
    with stand.serving(directory) as service:
        for sealed in (listed, kept, *gone, theirs):
            service.put(sealed)
    place = _backup(directory, target)
    shutil.copytree(directory / "slots", tmp_path / "slots")
    with stand.serving(directory) as service:
        service.erase(who, [listed.id])
        service.erase(everything)
    if slots_too:
        shutil.rmtree(directory / "slots")
        shutil.copytree(tmp_path / "slots", directory / "slots")
    restored = run("restore", directory, place)
    assert restored.returncode == 0, restored.stderr
    assert _opened(directory, erased) == []
    assert sorted(_opened(directory, [kept.id, theirs.id])) == sorted([kept.id, theirs.id])
    with stand.serving(directory) as service:
        assert [service.put(sealed).status_code for sealed in (listed, *gone, envelope(everything))] == [409] * 4
        ids = service.client.get("/v1/custody/batches", params={"purpose": PURPOSE}).json()["batches"]
        assert sorted(ids) == sorted([kept.id, theirs.id])
    assert run("check", directory).returncode == 0


def test_a_start_replays_the_log_into_a_database_that_somebody_put_back(tmp_path: Path) -> None:
    """Also when nobody ran `restore`: an old database and old bodies, copied by hand."""
    directory, who = stand.make(tmp_path), person(1)
    sealed = envelope(who)
    with stand.serving(directory) as service:
        service.put(sealed)
    for name in ("volens.db", "bodies", "slots"):
        (shutil.copytree if (directory / name).is_dir() else shutil.copy2)(directory / name, tmp_path / name)
    with stand.serving(directory) as service:
        service.erase(who)
    for name in ("bodies", "slots"):
        shutil.rmtree(directory / name)
        shutil.copytree(tmp_path / name, directory / name)
    for suffix in ("-wal", "-shm"):
        (directory / f"volens.db{suffix}").unlink(missing_ok=True)
    shutil.copy2(tmp_path / "volens.db", directory / "volens.db")
    assert _opened(directory, [sealed.id]) == [sealed.id]
    with stand.serving(directory) as service:
        assert _opened(directory, [sealed.id]) == []
        assert service.put(sealed).status_code == 409


def test_a_damaged_entry_of_the_erasure_log_stops_the_start(tmp_path: Path) -> None:
    """Rather than serve what somebody may have taken back; check says which entry it is."""
    directory, who = stand.make(tmp_path), person(1)
    with stand.serving(directory) as service:
        service.erase(who)
    (entry,) = (path for path in (directory / "erasures").rglob("*") if path.is_file())
    entry.write_bytes(b"{}")
    assert f"entry {entry.name} of the erasure log" in run("check", directory).stderr
    other = directory / "erasures" / "00" / ("0" * 64)
    entry.rename(other)
    served = run("serve", directory)
    assert served.returncode == 1
    assert "restore the log from its replica" in served.stderr


def test_no_backup_outlives_the_day_on_a_receipt(tmp_path: Path) -> None:
    """Made before an erasure, it is destroyed on the day that the receipt names, and not restored from that day on."""
    directory, target, today = stand.make(tmp_path), tmp_path / "backups", date(2026, 11, 21)
    with stand.serving(directory) as service:
        service.put(envelope())
        receipt = service.erase(person(1)).json()["receipt"]
    lives = date.fromisoformat(receipt["last_copy_dies"]) - date.fromisoformat(receipt["at"])
    site = open_site(directory)
    assert backup.make(site, target, today).destroyed == 0
    assert backup.make(site, target, today + lives - timedelta(days=1)).destroyed == 0
    with pytest.raises(ReceiverError, match="older than backups may be"):
        backup.restore(site, target / str(today), today + lives)
    assert backup.make(site, target, today + lives).destroyed == 1
    assert not (target / str(today)).exists()
    site.engine.dispose()


def test_backup_and_restore_say_what_is_wrong_in_one_line(tmp_path: Path) -> None:
    """Twice a day, not a backup, an open folder, a receiver that serves."""
    directory, target = stand.make(tmp_path), tmp_path / "backups"
    place = _backup(directory, target)
    open_folder = tmp_path / "open"
    open_folder.mkdir(mode=0o755)
    os.chmod(open_folder, 0o755)
    wrong = [run("backup", directory, target), run("backup", directory, open_folder), run("restore", directory, tmp_path)]
    with stand.serving(directory):
        wrong.append(run("restore", directory, place))
    for each, what in zip(wrong, ("is there already", "can be reached by others", "is no backup", "another process serves"), strict=True):
        assert (each.returncode, each.stderr.count("\n")) == (1, 1)
        assert what in each.stderr


@pytest.mark.parametrize("damaged", [None, b"", b"no database" * 1000])
def test_a_receiver_without_its_database_destroys_nothing_and_can_be_restored(tmp_path: Path, damaged: bytes | None) -> None:
    """Gone, empty or overwritten: a start would take every file for one that was never acknowledged, so there is none; a restore helps."""
    directory, sealed = stand.make(tmp_path), envelope()
    with stand.serving(directory) as service:
        service.put(sealed)
    place = _backup(directory, tmp_path / "backups")
    (directory / "volens.db").unlink()
    if damaged is not None:
        (directory / "volens.db").write_bytes(damaged)
    served = run("serve", directory)
    assert (served.returncode, served.stderr.count("\n")) == (1, 1)
    assert "from a backup" in served.stderr
    assert _opened(directory, [sealed.id]) == [sealed.id]
    assert run("restore", directory, place).returncode == 0
    assert run("check", directory).stdout.startswith("sound 1,")


@pytest.mark.parametrize("part", ["bodies", "volens.db"])
def test_a_backup_that_cannot_be_read_takes_nothing_away(tmp_path: Path, part: str) -> None:
    """A restore from half a backup is refused, and what was there is there."""
    directory, sealed = stand.make(tmp_path), envelope()
    with stand.serving(directory) as service:
        service.put(sealed)
    place = _backup(directory, tmp_path / "backups")
    if part == "bodies":
        shutil.rmtree(place / part)
    else:
        (place / part).write_bytes(b"no database" * 1000)
    restored = run("restore", directory, place)
    assert (restored.returncode, restored.stderr.count("\n")) == (1, 1)
    assert _opened(directory, [sealed.id]) == [sealed.id]
    assert run("check", directory).stdout.startswith("sound 1,")


def test_an_unfinished_backup_dies_with_the_others(tmp_path: Path) -> None:
    """A crash leaves bodies in a folder that has no name of a day yet; it does not outlive the day on a receipt either."""
    site, target, today = open_site(stand.make(tmp_path)), tmp_path / "backups", date(2026, 11, 21)
    backup.make(site, target, today)
    (target / str(today)).rename(target / f"{today}.part")
    assert backup.make(site, target, today + timedelta(days=site.settings.backups_kept_days)).destroyed == 1
    assert not (target / f"{today}.part").exists()
    site.engine.dispose()
