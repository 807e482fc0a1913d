"""The power fails at random instants: the file system is copied under the running writers, and the copy holds all that was promised."""

import os
import random
import select
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from receiver.check import check
from receiver.site import open_site
from tests.disks import Loop, ext4_in_a_file
from tests.nothing_lost.carrying import Carrier
from tests.nothing_lost.life import Promised, Stores
from tests.receiver import stand
from transport.results import Accepted


class Writer:
    """A daemon's writing, in a process of its own; what it was promised, as it says so."""

    def __init__(self, folder: Path, seed: int) -> None:
        command = [sys.executable, "-m", "tests.nothing_lost.life", str(folder), str(seed), "1", "100000000"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, env=stand.ENVIRONMENT, bufsize=0)
        assert self.process.stdout
        os.set_blocking(self.process.stdout.fileno(), False)
        self.lines: list[str] = []
        self._part = b""
        select.select([self.process.stdout], [], [], 20)

    def listen(self) -> None:
        """Take in all that it has said by now."""
        assert self.process.stdout
        while data := self.process.stdout.read(65536):
            *whole, self._part = (self._part + data).split(b"\n")
            self.lines += [line.decode() for line in whole]

    def promised(self) -> Promised:
        promised = Promised()
        for line in self.lines:
            promised.hear(line)
        return promised


class Sender(threading.Thread):
    """Uploads without a pause; `acknowledged` are the ids that the receiver says it has."""

    def __init__(self, folder: Path, url: str, seed: int) -> None:
        super().__init__(daemon=True)
        self.carrier, self.acknowledged, self.over = Carrier(folder / "outbox", url, deadline_s=60), [""], threading.Event()
        self._rng = random.Random(seed)

    def run(self) -> None:
        while not self.over.is_set():
            envelope_id = self.carrier.put(self._rng.choice([500, 5000, 30_000]))
            if isinstance(self.carrier.send(envelope_id), Accepted):
                self.acknowledged.append(envelope_id)
        self.carrier.rest()


def _cuts(folder: Path, seed: int, times: int) -> None:
    rng = random.Random(seed)
    with ExitStack() as stack:
        disk = stack.enter_context(ext4_in_a_file(folder, 96))
        directory = stand.make(disk.mounted, "reserve_bytes = 0\n")
        subprocess.run(["sync", "-f", str(directory)], check=True)  # a copy of a template is not what is tested
        service = stack.enter_context(stand.serving(directory))
        writer = Writer(disk.mounted / "state", seed)
        stack.callback(writer.process.wait)
        stack.callback(writer.process.kill)
        sender = Sender(folder, service.url, seed)
        sender.start()
        stack.callback(sender.join)
        stack.callback(sender.over.set)
        for _ in range(times):
            time.sleep(0.05 + rng.random() * 0.2)  # the random instant itself
            _one_cut(folder, disk, writer, sender, service.process)
    assert len(sender.acknowledged) > times
    assert len(writer.lines) > 10 * times


def _one_cut(folder: Path, disk: Loop, writer: Writer, sender: Sender, receiver: "subprocess.Popen[bytes]") -> None:
    processes = (writer.process, receiver)
    for process in processes:
        process.send_signal(signal.SIGSTOP)
    try:
        for process in processes:
            _until_stopped(process.pid)
        writer.listen()
        acknowledged = sender.acknowledged[1:]
        with disk.after_a_cut(folder) as left:
            for process in processes:
                process.send_signal(signal.SIGCONT)
            stores = Stores(left / "state")
            writer.promised().hold_to(stores)
            stores.close()
            _check_receiver(left / "rx", acknowledged)
    finally:
        for process in processes:
            process.send_signal(signal.SIGCONT)


def _until_stopped(pid: int) -> None:
    """A thread that is within a write stops only after it."""
    deadline_s = time.monotonic() + 20
    while any(path.read_text().rsplit(")", 1)[1].split()[0] != "T" for path in Path(f"/proc/{pid}/task").glob("*/stat")):
        assert time.monotonic() < deadline_s, "a writer does not stop"
        time.sleep(0.001)


def _check_receiver(directory: Path, acknowledged: list[str]) -> None:
    """Everything acknowledged is there, sound."""
    site = open_site(directory)
    report = check(site, datetime.now(UTC).date())
    site.engine.dispose()
    assert report.wrong == ()
    for batch_id in acknowledged:
        assert all((directory / store / batch_id[:2] / batch_id).exists() for store in ("slots", "bodies"))


def test_five_power_cuts_lose_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """The short form: hold, outbox, ledger and the receiver's stores, on one disk, cut at the same instants."""
    _cuts(tmp_path, seed=7, times=5)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(8))
def test_200_power_cuts_lose_nothing_that_was_acknowledged(tmp_path: Path, seed: int) -> None:
    """The long form: eight disks, 25 cuts each."""
    _cuts(tmp_path, 4000 + seed, times=25)
