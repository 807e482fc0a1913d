"""Real disks for tests: a tmpfs of a given size, ext4 in a file. They need root; elsewhere the test says that it was not run."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[Path]:
    """A file system of so many kilobytes, mounted at a new folder, while the block runs."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    disk = folder / "disk"
    disk.mkdir(mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k,mode=700", "tmpfs", str(disk)], check=True)
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


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

    @contextmanager
    def after_a_cut(self, folder: Path) -> Iterator[Path]:
        """The file system as it would be after a power cut now: a copy of the file, mounted, its journal replayed."""
        copy, place = folder / "cut.img", folder / "cut"
        place.mkdir(exist_ok=True)
        subprocess.run(["cp", "--sparse=always", str(self.image), str(copy)], check=True)
        subprocess.run(["mount", "-o", "loop", str(copy), str(place)], check=True)
        try:
            yield place
        finally:
            subprocess.run(["umount", "--lazy", str(place)], check=True)  # a failed test may still have it open
            copy.unlink()


@contextmanager
def ext4_in_a_file(folder: Path, megabytes: int) -> Iterator[Loop]:
    """A new ext4 file system on a loop device, while the block runs."""
    if os.geteuid() != 0:
        pytest.skip("a power cut is simulated with a loop device, which needs root")
    image, place = folder / "disk.img", folder / "mounted"
    place.mkdir()
    with image.open("wb") as file:
        file.truncate(megabytes * 1024 * 1024)
    made = subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], capture_output=True, check=False)
    mounted = made.returncode == 0 and subprocess.run(["mount", "-o", "loop", str(image), str(place)], capture_output=True, check=False)
    if not mounted or mounted.returncode != 0:
        pytest.skip("a power cut is simulated with ext4 on a loop device, which cannot be mounted here")
    try:
        yield Loop(image, place)
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)
