"""Where Debian's packages really put the programs of receiver/policy.example.json. Run by hand, the record is committed beside this file.

    apt-get install apt-file && apt-get update        # the index of all files of the archive, "Contents"
    cd FOLDER && apt-get download $(python -m tests.receiver.debian_files names)
    python -m tests.receiver.debian_files record FOLDER > tests/receiver/debian_files.txt

`elf`: in the package, downloaded, the path is a program and no link or script, root's, and nobody else may write it. `listed`: the
archive's index has the path in this package; the package is too big to download for this.
"""

import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path

HERE = Path(__file__).parent
EXAMPLE = Path(__file__).parents[2] / "receiver" / "policy.example.json"
RECORD = HERE / "debian_files.txt"
DEBS = HERE / "debs"
"""Where ./dev test-all puts the packages that the example's test reads again."""
AGAIN = 32
"""So many it reads: those first in the record, which are the smallest."""


def wanted() -> dict[str, list[str]]:
    """By package, the programs that the example lists."""
    found: dict[str, set[str]] = {}
    for surface in json.loads(EXAMPLE.read_text("utf-8"))["surfaces"]:
        for package in surface["packages"]:
            found.setdefault(package, set()).update(surface["executables"])
    return {package: sorted(paths) for package, paths in sorted(found.items())}


def recorded(word: str = "") -> list[tuple[str, str]]:
    """The record's (package, path), of one word or of all."""
    rows = (line.split() for line in RECORD.read_text("utf-8").splitlines() if not line.startswith("#"))
    return [(package, path) for said, package, path in rows if word in ("", said)]


def is_program(deb: Path, path: str) -> bool:
    """Whether the package has a program of its own at this path, that only root may write."""
    raw = subprocess.run(["dpkg-deb", "--fsys-tarfile", deb], capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(raw)) as tar:
        try:
            member = tar.getmember(f".{path}")
        except KeyError:
            return False
        body = tar.extractfile(member) if member.isfile() else None
        return body is not None and body.read(4) == b"\x7fELF" and member.uid == 0 and not member.mode & 0o022


def _listed(package: str, path: str) -> bool:
    said = subprocess.run(["apt-file", "--fixed-string", "search", path], capture_output=True, text=True, check=False).stdout
    return f"{package}: {path}" in said.splitlines()


def _record(folder: Path) -> None:
    debs = {path.name.split("_")[0]: path for path in sorted(folder.glob("*.deb"))}
    sizes = {package: debs[package].stat().st_size if package in debs else 2**40 for package in wanted()}
    print("# python -m tests.receiver.debian_files record; how, stands there. Debian 12 (bookworm), amd64, smallest packages first.")
    for package in sorted(wanted(), key=lambda package: (sizes[package], package)):
        for path in wanted()[package]:
            if package in debs and is_program(debs[package], path):
                print("elf", package, path)
            elif _listed(package, path):
                print("listed", package, path)
            else:
                sys.exit(f"{package} has no program at {path}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["names"]:
            print(" ".join(wanted()))
        case ["again"]:
            print(" ".join(list(dict.fromkeys(package for package, _ in recorded("elf")))[:AGAIN]))
        case ["record", folder]:
            _record(Path(folder))
