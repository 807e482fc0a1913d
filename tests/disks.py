"""Real disks for tests: a tmpfs of a given size, ext4 in a file. They need root; elsewhere the test says that it was not run.

Whatever becomes of a test, nothing stays mounted: what lives on a disk is ended first, then it is unmounted, then its loop device is
detached; a run that is interrupted does the same as it ends, and the next run does it for one that was killed.
"""

import atexit
import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

MARK = "volens-test"
"""In the name of each image and each tmpfs: what is ours among the machine's mounts."""
_PATIENCE_S = 3.0


class Disks:
    """What is mounted now, by the folder that it is mounted at. One for the process; `give_back` is idempotent."""

    def __init__(self) -> None:
        self._mounted: list[Path] = []
        atexit.register(self.give_back_all)

    def mount(self, place: Path, *how: str) -> bool:
        """Mount so; whether the system does it."""
        if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, signal.default_int_handler)  # a run that is asked to end unwinds like one that is interrupted
        self._mounted.append(place)
        return subprocess.run(["mount", *how, str(place)], capture_output=True, check=False).returncode == 0

    def give_back(self, place: Path) -> None:
        """End whoever lives there, and unmount it; a loop device goes with it. What this process has open there goes with its closing.

        Raises:
            AssertionError: that is so of a loop device, which must not outlive its test.
        """
        if place in self._mounted:
            self._mounted.remove(place)
        until_s = time.monotonic() + _PATIENCE_S
        while place.is_mount():
            others = _living_on(place)
            for process_id in others:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process_id, signal.SIGKILL)
            if subprocess.run(["umount", str(place)], capture_output=True, check=False).returncode == 0:
                continue
            if not others or time.monotonic() > until_s:
                is_loop = Path("/sys/dev/block", f"{os.major(place.stat().st_dev)}:{os.minor(place.stat().st_dev)}", "loop").exists()
                subprocess.run(["umount", "--lazy", str(place)], check=True)
                assert not is_loop, f"something of this test is still open on {place}"
            time.sleep(0.02)

    def give_back_all(self) -> None:
        for place in reversed(self._mounted.copy()):
            self.give_back(place)


DISKS = Disks()


def _living_on(place: Path) -> set[int]:
    """Processes other than this one with a file, a folder or a mapping there."""
    device = place.stat().st_dev
    return {int(one.name) for one in Path("/proc").glob("[0-9]*") if int(one.name) != os.getpid() and _lives_on(one, place, device)}


def _lives_on(process: Path, place: Path, device: int) -> bool:
    links = [process / "cwd", process / "root", process / "exe"]
    with contextlib.suppress(OSError):
        links += (process / "fd").iterdir()
    for link in links:
        with contextlib.suppress(OSError):
            if Path(os.readlink(link)).is_relative_to(place) and link.stat().st_dev == device:
                return True
    return False


def loops() -> set[str]:
    """The loop devices of images of ours, of whatever run, mounted or not."""
    listed = subprocess.run(["losetup", "--list", "--json", "--output", "NAME,BACK-FILE"], capture_output=True, text=True, check=True)
    devices = json.loads(listed.stdout or '{"loopdevices": []}')["loopdevices"]
    return {str(one["name"]) for one in devices if MARK in str(one["back-file"])}


def sweep() -> None:
    """Give back what runs that were killed have left: nothing of ours whose run is over stays mounted or attached."""
    for line in Path("/proc/self/mounts").read_text().splitlines():
        place = Path(line.split()[1].replace("\\040", " "))
        if MARK in str(place) and not _runs(place):
            DISKS.give_back(place)
    for device in loops():
        image = subprocess.run(["losetup", "--noheadings", "--output", "BACK-FILE", device], capture_output=True, text=True, check=False)
        if not _runs(Path(image.stdout.strip())):
            subprocess.run(["losetup", "--detach", device], capture_output=True, check=False)
    for folder in Path(tempfile.gettempdir()).glob(f"{MARK}-*"):
        if not _runs(folder):
            shutil.rmtree(folder)


def _runs(path: Path) -> bool:
    """Whether the run that a path of ours names by its process id still lives."""
    ids = [part.split("-")[2] for part in path.parts if part.startswith(f"{MARK}-")]
    return any(Path("/proc", process_id).exists() for process_id in ids)


@contextmanager
def _scratch() -> Iterator[Path]:
    """A folder whose name says that it is ours, and whose run it is of."""
    with tempfile.TemporaryDirectory(prefix=f"{MARK}-{os.getpid()}-") as folder:
        yield Path(folder)


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[Path]:
    """A file system of so many kilobytes, mounted at a new folder, while the block runs."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    disk = folder / f"{MARK}-{os.getpid()}-disk"
    disk.mkdir(mode=0o700)
    try:
        assert DISKS.mount(disk, "-t", "tmpfs", "-o", f"size={kilobytes}k,mode=700", "tmpfs")
        yield disk
    finally:
        DISKS.give_back(disk)


def fill(disk: Path) -> None:
    """Leave not a byte free."""
    with (disk / "filler").open("wb", buffering=0) as filler, contextlib.suppress(OSError):
        while True:
            filler.write(bytes(4096))
    with pytest.raises(OSError, match="No space"):
        (disk / "more").write_bytes(bytes(4096))


@dataclass(frozen=True)
class Loop:
    """An ext4 file system in a file: what has reached the file is what a power cut would leave.

    Attributes:
        image: The file.
        mounted: Where it is mounted.
    """

    image: Path
    mounted: Path
    _copies: list[int] = field(default_factory=lambda: [0])

    @contextmanager
    def after_a_cut(self) -> Iterator[Path]:
        """The file system as it would be after a power cut now: a copy of the file, mounted, its journal replayed."""
        self._copies[0] += 1
        copy, place = self.image.with_name(f"cut-{self._copies[0]}.img"), self.image.with_name(f"cut-{self._copies[0]}")
        place.mkdir()
        subprocess.run(["cp", "--sparse=always", str(self.image), str(copy)], check=True)
        try:
            assert DISKS.mount(place, "-o", "loop", str(copy))
            yield place
        finally:
            DISKS.give_back(place)
            copy.unlink()


@contextmanager
def ext4_in_a_file(megabytes: int) -> Iterator[Loop]:
    """A new ext4 file system on a loop device, while the block runs."""
    if os.geteuid() != 0:
        pytest.skip("a power cut is simulated with a loop device, which needs root")
    sweep()
    with _scratch() as folder:
        image, place = folder / "disk.img", folder / "mounted"
        place.mkdir()
        with image.open("wb") as file:
            file.truncate(megabytes * 1024 * 1024)
        made = subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], capture_output=True, check=False)
        try:
            if made.returncode != 0 or not DISKS.mount(place, "-o", "loop", str(image)):
                pytest.skip("a power cut is simulated with ext4 on a loop device, which cannot be mounted here")
            yield Loop(image, place)
        finally:
            DISKS.give_back(place)
