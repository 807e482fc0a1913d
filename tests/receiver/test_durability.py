"""What was acknowledged is there: by system-call trace, by injected disk faults, by kill -9."""

import re
import shutil
import threading
import time
from pathlib import Path

import httpx
import pytest

from tests.receiver import stand
from tests.receiver.stand import envelope

STRACE = shutil.which("strace")
needs_strace = pytest.mark.skipif(STRACE is None, reason="strace is not installed")
_CALLS = "trace=openat,fsync,fdatasync,rename,renameat,renameat2,write,writev,sendto,sendmsg,pwrite64"


def _trace(out: Path, *more: str) -> list[str]:
    # -D: the receiver stays our child, so that it is the receiver that we ask to end.
    return [str(STRACE), "-D", "-f", "-y", "-s", "64", "-e", _CALLS, *more, "-o", str(out)]


def _first(lines: list[str], pattern: str) -> int:
    found = [index for index, line in enumerate(lines) if re.search(pattern, line)]
    assert found, f"no line matches {pattern}"
    return found[0]


@needs_strace
def test_201_is_sent_after_files_folders_and_row_are_on_disk(tmp_path: Path) -> None:
    """The trace shows, for slots and body: fsync, rename, fsync of the folder; then the log's fdatasync; then 201."""
    directory, out = stand.make(tmp_path), tmp_path / "trace"
    sealed = envelope()
    with stand.serving(directory, under=_trace(out)) as traced:
        assert traced.put(sealed).status_code == 201
    lines = _completed(_whole(out))
    lines = lines[_first(lines, sealed.id) :]
    row = _first(lines, r"fdatasync\(.*volens\.db-wal>\)")
    for store in ("slots", "bodies"):
        written = _first(lines, rf"fsync\(.*{store}/\.incoming/{sealed.id}>\)")
        renamed = _first(lines, rf"rename\(.*{store}/\.incoming/{sealed.id}")
        named = _first(lines, rf"fsync\(.*{store}/{sealed.id[:2]}>\)")
        assert written < renamed < named < row
    assert row < _first(lines, r"HTTP/1\.1 201")


def _whole(out: Path) -> list[str]:
    """The trace, once its tracer has written the end of it."""
    deadline_s = time.monotonic() + 10
    while not (lines := out.read_text().splitlines()) or "+++ exited" not in lines[-1]:
        assert time.monotonic() < deadline_s, "the trace has no end"
        time.sleep(0.02)
    return lines


def _completed(lines: list[str]) -> list[str]:
    """One line a call, where it ended; except for what is sent, which counts from where it began."""
    begun: dict[str, str] = {}
    whole: list[str] = []
    for line in lines:
        thread, call = line.split(maxsplit=1)
        if call.endswith("<unfinished ...>"):
            begun[thread] = call.removesuffix("<unfinished ...>").rstrip()
            if "HTTP/1.1" in call:
                whole.append(call)
        elif call.startswith("<..."):
            whole.append(begun.pop(thread, "") + call.split("resumed>", 1)[1])
        else:
            whole.append(call)
    return whole


FAULTS = [
    ("fsync:error=ENOSPC", "bodies/.incoming/{id}", 507),
    ("fsync:error=EIO", "slots/.incoming/{id}", 500),
    ("write:error=ENOSPC", "slots/.incoming/{id}", 507),
    ("rename:error=EIO", "slots/.incoming/{id}", 500),
    ("fsync:error=EIO", "bodies/{shard}", 500),
    ("fdatasync:error=EIO", "volens.db-wal", 500),
    ("pwrite64:error=ENOSPC", "volens.db-wal", 507),
]


@needs_strace
@pytest.mark.parametrize(("fault", "place", "status"), FAULTS)
def test_a_failing_disk_is_never_a_201(tmp_path: Path, fault: str, place: str, status: int) -> None:
    """A fault injected into one call of an upload: refused, nothing half-stored, and the same envelope is created a little later."""
    directory, out = stand.make(tmp_path), tmp_path / "trace"
    sealed = envelope()
    path = directory / place.format(id=sealed.id, shard=sealed.id[:2])
    with stand.serving(directory, under=_trace(out, "-P", str(path), "-e", f"inject={fault}:when=1")) as faulty:
        assert faulty.put(sealed).status_code == status
        # strace counts calls in each thread, so that tidying up after the fault may meet it once more.
        others = [faulty.put(envelope()).status_code for _ in range(2)]
        assert others in ([201, 201], [status, 201])
        assert not any(path.exists() for path in faulty.files(sealed))  # an erasure would not find them
        later = [faulty.put(sealed).status_code for _ in range(3)]
        assert 201 in later
        assert set(later[later.index(201) + 1 :]) <= {200}
    assert stand.run("check", directory).stdout == f"sound {1 + others.count(201)}, erased 0, unfinished 0, wrong 0\n"


def test_kill_9_in_the_middle_of_many_uploads_loses_nothing_acknowledged(tmp_path: Path) -> None:
    """Each time: every 201 is there and sound after a restart, and no half object is left."""
    directory = stand.make(tmp_path)
    acknowledged: list[str] = []
    for round_number in range(3):
        enough = threading.Event()
        with stand.serving(directory) as doomed:
            senders = [threading.Thread(target=_send, args=(doomed.url, acknowledged, enough)) for _ in range(4)]
            for sender in senders:
                sender.start()
            assert enough.wait(20)
            doomed.process.kill()
            for sender in senders:
                sender.join(20)
        assert len(acknowledged) >= 20 * (round_number + 1)
        with stand.serving(directory) as again:
            assert again.client.get("/readyz").status_code == 200
    report = stand.run("check", directory)
    assert report.returncode == 0, report.stderr
    assert re.fullmatch(r"sound \d+, erased 0, unfinished 0, wrong 0\n", report.stdout)
    for batch_id in acknowledged:
        assert all((directory / store / batch_id[:2] / batch_id).exists() for store in ("slots", "bodies"))
    for store in ("slots", "bodies"):
        assert not list((directory / store / ".incoming").iterdir())


def test_an_end_under_load_finishes_what_it_took_and_loses_nothing(tmp_path: Path) -> None:
    """SIGTERM while eight senders send as fast as they can: exit 0, every 201 is stored, and nothing else is."""
    directory = stand.make(tmp_path)
    acknowledged: list[str] = []
    enough = threading.Event()
    with stand.serving(directory) as service:
        senders = [threading.Thread(target=_send, args=(service.url, acknowledged, enough)) for _ in range(8)]
        for sender in senders:
            sender.start()
        assert enough.wait(20)
        assert service.stop() == 0
        for sender in senders:
            sender.join(20)
    assert stand.run("check", directory).stdout == f"sound {len(acknowledged)}, erased 0, unfinished 0, wrong 0\n"


def _send(url: str, acknowledged: list[str], enough: threading.Event) -> None:
    """Until the receiver is gone; tells when it has had twenty more."""
    start = len(acknowledged)
    with httpx.Client(base_url=url, trust_env=False, timeout=20) as client:
        while True:
            sealed = envelope()
            try:
                if client.put(f"/v1/batches/{sealed.id}", content=sealed.raw).status_code == 201:
                    acknowledged.append(sealed.id)
            except httpx.HTTPError:
                return
            if len(acknowledged) >= start + 20:
                enough.set()


def test_files_without_a_row_are_gone_after_a_start(tmp_path: Path) -> None:
    """A crash between files and row leaves an envelope that was never acknowledged, and that an erasure would not find."""
    directory = stand.make(tmp_path)
    sealed = envelope()
    orphans = [directory / store / sealed.id[:2] / sealed.id for store in ("slots", "bodies")]
    for path in (*orphans, directory / "bodies" / ".incoming" / sealed.id):
        path.write_bytes(b"half")
    assert "unfinished 1, wrong 0" in stand.run("check", directory).stdout
    with stand.serving(directory) as again:
        assert not any(path.exists() for path in orphans)
        assert again.put(sealed).status_code == 201
    assert not list((directory / "bodies" / ".incoming").iterdir())
