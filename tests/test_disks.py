"""What tests mount is given back, whatever becomes of the test."""

import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests import disks
from tests.receiver.stand import ENVIRONMENT

_MOUNTS = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests in the background has it ignored
from tests import disks
with disks.ext4_in_a_file(16) as disk, disk.after_a_cut() as left:
    stays = subprocess.Popen(["sleep", "60"], cwd=left)
    print(disk.mounted, left, flush=True)
    {then}
"""


def _run(then: str) -> tuple["subprocess.Popen[str]", list[Path]]:
    process = subprocess.Popen([sys.executable, "-c", _MOUNTS.format(then=then)], stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
    assert process.stdout
    return process, [Path(place) for place in process.stdout.readline().split()]


def _is_nothing_left(places: list[Path]) -> bool:
    return not any(place.exists() for place in places)


@pytest.fixture(autouse=True)
def _can_mount() -> None:
    with disks.ext4_in_a_file(16):
        pass  # or the test is skipped


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_no_mount_and_no_loop_device(number: signal.Signals) -> None:
    """Although a process still lives on one of its disks."""
    process, places = _run("time.sleep(60)")
    before = disks.loops()
    assert len(before) >= 2
    process.send_signal(number)
    process.wait(30)
    assert len(places) == 2
    assert _is_nothing_left(places)


def test_a_run_that_was_killed_is_swept_up_by_the_next() -> None:
    """SIGKILL leaves it no chance of its own."""
    process, places = _run("os.kill(os.getpid(), 9)")
    process.wait(30)
    assert all(place.is_mount() for place in places)
    disks.sweep()
    assert not any(place.is_mount() for place in places)
    name = f"{disks.MARK}-{process.pid}-"
    assert not any(name in line for line in Path("/proc/self/mounts").read_text().splitlines())
    assert not any(Path(tempfile.gettempdir()).glob(f"{name}*"))
