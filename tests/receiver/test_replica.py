"""The slots' second copy: durable before 201, erased before the receipt, read where the first is missing or damaged, never a stranger's."""

import re
from pathlib import Path

import pytest

from tests.receiver import stand
from tests.receiver.stand import envelope, run
from tests.receiver.test_durability import _completed, _first, _trace, _whole, needs_strace
from transport.envelope import Envelope


def _make(tmp_path: Path, settings: str = "") -> tuple[Path, Path]:
    """(receiver's folder, replica's folder), the replica made by the command."""
    replica = tmp_path / "other disk" / "slots"
    replica.parent.mkdir()
    directory = stand.make(tmp_path, f'slots_replica = "{replica}"\n{settings}')
    made = run("repair", directory)
    assert (made.returncode, made.stdout) == (0, "replica made, slots copied 0, beyond repair 0\n"), made.stderr
    return directory, replica


def _slots(store: Path, sealed: Envelope) -> Path:
    return store / sealed.id[:2] / sealed.id


@needs_strace
def test_the_replica_is_on_disk_before_201_and_gone_before_the_receipt(tmp_path: Path) -> None:
    """The trace shows the replica's file and folder flushed before the row; both copies are equal; erasing takes both."""
    directory, replica = _make(tmp_path)
    sealed, out = envelope(), tmp_path / "trace"
    with stand.serving(directory, under=_trace(out)) as traced:
        assert traced.put(sealed).status_code == 201
        assert _slots(replica, sealed).read_bytes() == _slots(directory / "slots", sealed).read_bytes()
        assert traced.erase(stand.person(), [sealed.id]).status_code == 200
        assert not _slots(replica, sealed).exists()
        assert not any(path.exists() for path in traced.files(sealed))
    lines = _completed(_whole(out))
    lines = lines[_first(lines, sealed.id) :]
    written = _first(lines, rf"fsync\(.*other disk/slots/\.incoming/{sealed.id}>\)")
    named = _first(lines, rf"fsync\(.*other disk/slots/{sealed.id[:2]}>\)")
    assert written < named < _first(lines, r"fdatasync\(.*volens\.db-wal>\)") < _first(lines, r"HTTP/1\.1 201")


@pytest.mark.parametrize("damage", ["missing", "altered"])
def test_a_bad_first_copy_is_read_from_the_replica_and_repaired(tmp_path: Path, damage: str) -> None:
    """Custodians get the envelope all the same, the log and `check` say that it was so, and `repair` makes both copies sound."""
    directory, _ = _make(tmp_path)
    sealed = envelope()
    with stand.serving(directory) as service:
        service.put(sealed)
        slots = service.files(sealed)[0]
        sound = slots.read_bytes()
        slots.unlink() if damage == "missing" else slots.write_bytes(bytes(len(sound)))
        service.client.post("/v1/access", json={"purpose": stand.PURPOSE, "reason": "audit", "batches": [sealed.id]})
        fetched = service.client.get(f"/v1/custody/batches/{sealed.id}", headers={"X-Volens-Access": "1"})
        assert fetched.content == sealed.raw
        assert "repair" in service.log.read_text()
        assert sealed.id not in service.log.read_text()
    checked = run("check", directory)
    assert checked.stdout == "sound 0, erased 0, unfinished 0, wrong 1\n"
    assert re.search(rf"batch {sealed.id}: .*slots.*; run `volens-receiver repair`", checked.stderr)
    assert run("repair", directory).stdout == "slots copied 1, beyond repair 0\n"
    assert slots.read_bytes() == sound
    assert slots.stat().st_mtime % 86_400 == 0
    assert run("check", directory).stdout == "sound 1, erased 0, unfinished 0, wrong 0\n"


def test_a_receiver_that_had_one_copy_gets_a_second(tmp_path: Path) -> None:
    """Named later, `repair` fills it; what is lost in both is said, with exit 1, and nothing is made up."""
    directory, replica = stand.make(tmp_path), tmp_path / "second"
    here, gone = envelope(), envelope()
    with stand.serving(directory) as service:
        for sealed in (here, gone):
            service.put(sealed)
        service.files(gone)[0].unlink()
    with (directory / "receiver.toml").open("a") as settings:
        settings.write(f'slots_replica = "{replica}"\n')
    repaired = run("repair", directory)
    assert (repaired.returncode, repaired.stdout) == (1, "replica made, slots copied 1, beyond repair 1\n")
    assert _slots(replica, here).exists()
    assert not _slots(replica, gone).exists()


def test_a_start_refuses_a_replica_that_is_absent_or_a_strangers(tmp_path: Path) -> None:
    """One line each: a disk that is not mounted, a folder of something else, another receiver's; `repair` takes neither of those two."""
    directory, replica = _make(tmp_path)
    moved = replica.rename(tmp_path / "unmounted")
    replica.mkdir(mode=0o700)
    _refused(directory, "no replica of slots")
    (replica / "holiday.txt").write_text("x")
    _refused(directory, "no replica of slots")
    assert run("repair", directory).returncode == 1
    (replica / "holiday.txt").unlink()
    replica.rmdir()
    _refused(directory, "no replica of slots")
    moved.rename(replica)
    (replica / "receiver").write_bytes(bytes(32))
    _refused(directory, "another receiver's replica")
    assert run("repair", directory).returncode == 1


def _refused(directory: Path, words: str) -> None:
    refused = run("serve", directory)
    assert refused.returncode == 1
    assert words in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_a_failing_replica_is_never_a_201(tmp_path: Path) -> None:
    """Its disk gone while serving: refused with Retry-After, nothing half-stored, and readiness says so."""
    directory, replica = _make(tmp_path)
    sealed = envelope()
    with stand.serving(directory) as service:
        moved = replica.rename(tmp_path / "gone")
        answer = service.put(sealed)
        assert answer.status_code == 500
        assert int(answer.headers["retry-after"]) > 0
        assert service.client.get("/readyz").json()["why"] == "storage"
        moved.rename(replica)
        assert service.put(sealed).status_code == 201


def test_check_says_that_slots_have_one_copy(tmp_path: Path) -> None:
    """On standard error, with what to do; no fault. A trial is left in peace."""
    directory, _ = stand.make_fleet(tmp_path)
    checked = run("check", directory)
    assert checked.returncode == 0
    assert "slots have one copy" in checked.stderr
    assert run("repair", directory).stderr.startswith("volens-receiver: slots have one copy here; name a folder")
