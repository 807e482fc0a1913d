"""Nobody else gets at a process that has keys or events: not another account, and no other program of the same account."""

import base64
import hashlib
import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.custody.conftest import receiver
from tests.custody.stand import FakeReceiver, clicks, keep, make_custody, sealed
from tests.intruders import STRANGER, SUBJECT, Accounts, accounts, memory_holds

__all__ = ["receiver"]
OF_THE_PROCESS = {"memory", "environment", "mappings", "descriptors", "trace", "read across"}
OF_THE_ACCOUNT = {"files", "socket"}
_HOLDS = """
import sys
from pathlib import Path
from tests.agent.people import at, clicks, keep, say_yes, subject_in
subject = subject_in(Path(sys.argv[1]))
say_yes(subject, at(0))
keep(subject, clicks(1, 2, 3), at(3))
subject.close()
"""


@pytest.fixture(scope="module")
def people() -> Iterator[Accounts]:
    with accounts() as made:
        yield made


def _until(holds: object, what: str) -> None:
    until_s = time.monotonic() + 30
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < until_s, what
        time.sleep(0.02)


def _core_bytes(process_id: int) -> str:
    lines = Path(f"/proc/{process_id}/limits").read_text().splitlines()
    return next(line.split()[4] for line in lines if line.startswith("Max core file size"))


def test_an_ordinary_process_is_open_to_programs_of_its_account(people: Accounts) -> None:
    """The attacks are real: on a process that did not close itself they succeed, for the same account only."""
    process = people.start(SUBJECT, "-c", "import time; print(flush=True); time.sleep(60)", stdout=subprocess.PIPE)
    try:
        process.stdout.readline()  # type: ignore[union-attr]
        nowhere = people.folder / "nowhere"
        assert people.got(SUBJECT, process.pid, nowhere, nowhere) == OF_THE_PROCESS
        assert people.got(STRANGER, process.pid, nowhere, nowhere) == set()
    finally:
        process.kill()
        process.wait()


def test_nobody_reads_the_daemon_and_no_other_account_its_files_or_socket(people: Accounts) -> None:
    """With a hold key in its memory, which root finds there: the same account gets its own files, another account nothing; no core."""
    home = people.folder / "daemon"
    home.mkdir(mode=0o755)
    os.chown(home, SUBJECT, SUBJECT)
    people.run(SUBJECT, "-c", _HOLDS, home)
    state, run = home / "state", home / "run"
    process = people.start(SUBJECT, "-m", "tests.nothing_lost.whole", "daemon", state, run)
    try:
        _until((run / "control").exists, "the daemon does not start")
        assert memory_holds(process.pid, (state / "keys" / "hold.key").read_bytes())
        assert people.got(SUBJECT, process.pid, state, run / "control") == OF_THE_ACCOUNT
        assert people.got(STRANGER, process.pid, state, run / "control") == set()
        assert _core_bytes(process.pid) == "0"
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("name", ["observer", "courier"])
def test_nobody_reads_a_child_of_the_daemon(people: Accounts, name: str) -> None:
    """Events pass through the one, envelopes through the other."""
    code = f"import os, sys, agent.__main__ as it; sys.argv[1:] = ['{name}', '1']; it.main()"
    process = people.start(SUBJECT, "-c", code, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    try:
        _until(lambda: _core_bytes(process.pid) == "0", "it does not close itself")
        nowhere = people.folder / "nowhere"
        _until(lambda: people.got(SUBJECT, process.pid, nowhere, nowhere) == set(), "it does not close itself")
        assert process.poll() is None
        assert people.got(STRANGER, process.pid, nowhere, nowhere) == set()
    finally:
        process.kill()
        process.wait()


def test_nobody_reads_the_opening_of_a_purpose(people: Accounts, receiver: FakeReceiver) -> None:
    """In the middle of an opening, with custodians' keys in its memory, where root finds them; no core."""
    folder = people.folder / "custody"
    folder.mkdir(mode=0o755)
    custody = make_custody(folder, 2, 3)
    keep(receiver, sealed(custody.public, clicks(1000), [b"1" * 16]))
    people.own(SUBJECT, folder)
    reached, go_on = threading.Event(), threading.Event()

    def wait(method: str, path: str) -> None:
        if method == "GET" and path.rsplit("/", 1)[1] in receiver.kept:
            reached.set()
            go_on.wait(60)

    receiver.replace_answer = wait  # type: ignore[assignment]
    keys = [argument for key in custody.keys[:2] for argument in ("--key", key)]
    arguments = ["--purpose", custody.purpose, *keys, "--from", receiver.url, "--reason", "a test set", "--out", folder / "out"]
    process = people.start(SUBJECT, "-m", "custody", "open", *arguments)
    try:
        assert reached.wait(30)
        assert memory_holds(process.pid, _curve_key(custody.keys[0]))
        assert people.got(SUBJECT, process.pid, folder / "purpose.json", folder / "nowhere") == set()
        assert people.got(STRANGER, process.pid, folder / "keys", folder / "nowhere") == set()
        assert _core_bytes(process.pid) == "0"
        go_on.set()
        assert process.wait(30) == 0
    finally:
        go_on.set()
        process.kill()
        process.wait()


def _curve_key(path: Path) -> bytes:
    """The X25519 half of the private key in a custodian's file, as X-Wing expands it."""
    return hashlib.shake_256(base64.b64decode(json.loads(path.read_bytes())["seed"])).digest(96)[64:]
