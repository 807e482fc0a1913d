"""Makes the lock files in this folder from pyproject.toml. `./dev lock` runs it; nothing else does.

Each lock is one resolution for Python 3.11 to 3.14 on every platform, with the hashes of all files. A lock is refused when
a package in it has no wheel for one of the machines we support (a fresh Debian has no compiler), and when a host name or a
local path got into it (the registry is the reader's choice). Its first lines state what it costs to install.
"""

import hashlib
import io
import re
import subprocess
import sys
import tempfile
import tomllib
import urllib.request
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.markers import Marker
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import parse_wheel_filename

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent / "pyproject.toml"
OLDEST_PYTHON = "3.11"
PYTHONS = ((3, 11), (3, 12), (3, 13), (3, 14))
MACHINES = ("x86_64", "aarch64")
GLIBC_MINOR = 36  # Debian 12, the oldest system that we install on
# pynput is the peer that `./dev bench` measures. It goes in with --no-deps: on Linux it names evdev, which has no wheel
# and which the X11 listener never imports. six is what it does import.
BENCH = ("pynput>=1.8.2", "six")
UNWANTED = ("evdev",)  # emitted for platforms that call themselves neither linux nor anything else; has no wheel
LEAK = re.compile(r"https?:|file:|://|/(?:work|root|home|tmp)/|--index|--find-links")


class LockError(Exception):
    """The lock was not written; the message says which package or line is at fault."""


@dataclass(frozen=True, slots=True)
class Target:
    """One kind of machine that a lock must install on without a compiler."""

    python: tuple[int, int]
    machine: str

    def environment(self) -> dict[str, str]:
        """The values that environment markers see there."""
        version = ".".join(map(str, self.python))
        return {
            "python_version": version,
            "python_full_version": f"{version}.0",
            "platform_machine": self.machine,
            "sys_platform": "linux",
            "os_name": "posix",
            "platform_system": "Linux",
            "implementation_name": "cpython",
            "platform_python_implementation": "CPython",
        }

    def tags(self) -> list[Tag]:
        """Wheel tags that pip accepts there, best first."""
        platforms = [f"manylinux_2_{minor}_{self.machine}" for minor in range(GLIBC_MINOR, 4, -1)]
        platforms += [f"manylinux2014_{self.machine}", f"linux_{self.machine}"]
        interpreter = f"cp{self.python[0]}{self.python[1]}"
        return [*cpython_tags(self.python, platforms=platforms), *compatible_tags(self.python, interpreter, platforms)]


def main() -> None:
    """Write run.lock, dev.lock and bench.lock; arguments (such as --upgrade) go to `uv pip compile`."""
    options = sys.argv[1:]
    build = tomllib.loads(PROJECT.read_text())["build-system"]["requires"]
    make("run", [str(PROJECT), "--extra=receiver", "--extra=tray"], build, options)
    make("dev", [str(PROJECT), "--extra=receiver", "--extra=tray", "--extra=dev", f"--constraint={HERE / 'run.lock'}"], build, options)
    make("bench", ["--no-deps", f"--constraint={HERE / 'run.lock'}"], BENCH, options)


def make(name: str, arguments: list[str], requirements: tuple[str, ...] | list[str], options: list[str]) -> None:
    """Resolve, check, and only then replace `name`.lock."""
    path = HERE / f"{name}.lock"
    with tempfile.TemporaryDirectory() as folder:
        wanted, resolved, files = (Path(folder) / leaf for leaf in ("wanted.in", "resolved.txt", "pylock.toml"))
        wanted.write_text("\n".join(requirements))
        if path.exists():
            resolved.write_text(path.read_text())  # what is pinned stays pinned, unless --upgrade says otherwise
        compile_lock([*arguments, str(wanted), "--generate-hashes", *options], resolved)
        compile_lock(["--no-deps", str(resolved)], files)
        packages = tomllib.loads(files.read_text())["packages"]
        lock = f"# {name}.lock, made by ./dev lock; do not edit\n# size: {cost(packages)}\n{resolved.read_text()}"
    if leak := LEAK.search(lock):
        raise LockError(f"{name}.lock would hold {leak.group()!r}")
    path.write_text(lock)
    print(f"{path.name}: {cost(packages)}")


def compile_lock(arguments: list[str], output: Path) -> None:
    """One run of `uv pip compile`."""
    fixed = ["--quiet", "--universal", "--no-header", "--no-annotate", f"--python-version={OLDEST_PYTHON}"]
    fixed += [f"--no-emit-package={name}" for name in UNWANTED]
    subprocess.run([sys.executable, "-m", "uv", "pip", "compile", *fixed, *arguments, f"--output-file={output}"], check=True)


def cost(packages: list[dict[str, Any]]) -> str:
    """Check the wheels for every target; say how many there are, and what they weigh on the first one."""
    chosen = {target: wheels(packages, target) for target in (Target(python, machine) for python in PYTHONS for machine in MACHINES)}
    first = next(iter(chosen.values()))
    contents = [download(wheel) for wheel in first]
    packed = sum(map(len, contents))
    unpacked = sum(entry.file_size for content in contents for entry in zipfile.ZipFile(io.BytesIO(content)).infolist())
    return f"{len(first)} packages, {megabytes(packed)} to download, {megabytes(unpacked)} on disk"


def wheels(packages: list[dict[str, Any]], target: Target) -> list[dict[str, Any]]:
    """The one wheel of each package that pip would take on this target."""
    environment = target.environment()
    wanted = [package for package in packages if "marker" not in package or Marker(package["marker"]).evaluate(environment)]
    return [best_wheel(package, target) for package in wanted]


def best_wheel(package: dict[str, Any], target: Target) -> dict[str, Any]:
    """The first wheel in the order of the target's tags."""
    tagged = {tag: wheel for wheel in package.get("wheels", []) for tag in parse_wheel_filename(file_name(wheel))[3]}
    for tag in target.tags():
        if tag in tagged:
            return tagged[tag]  # type: ignore[no-any-return]
    raise LockError(f"{package['name']} {package['version']} has no wheel for {target}")


def file_name(wheel: dict[str, Any]) -> str:
    """The wheel's name, without the address."""
    return str(wheel.get("name") or wheel["url"].rsplit("/", 1)[1])


def download(wheel: dict[str, Any]) -> bytes:
    """The wheel's bytes, if they are those of the lock."""
    with urllib.request.urlopen(wheel["url"], timeout=60) as answer:
        content: bytes = answer.read()
    if hashlib.sha256(content).hexdigest() != wheel["hashes"]["sha256"]:
        raise LockError(f"{file_name(wheel)} is not the file of the lock")
    return content


def megabytes(size_bytes: int) -> str:
    """Whole megabytes, rounded up."""
    return f"{-(-size_bytes // 1_000_000)} MB"


if __name__ == "__main__":
    try:
        main()
    except (LockError, subprocess.CalledProcessError, OSError) as error:
        sys.exit(f"volens: no new lock: {error}; the old one still stands")
