"""The wheel, the start of the installed commands, the locks, and what must not stand in this repository."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = ("agent", "collectors", "consent", "custody", "receiver", "transport")
NOT_SOURCE = shutil.ignore_patterns(
    ".git", ".venv", "build", "dist", "*.egg-info", "__pycache__", ".*_cache", ".hypothesis", ".volens", "node_modules"
)
MARK_IMPORTED = "import pathlib; pathlib.Path(__file__).with_name('imported').touch()\n"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built offline from a copy: a `build/` left here by an older version would leak into it."""
    folder = tmp_path_factory.mktemp("wheel")
    shutil.copytree(ROOT, folder / "source", ignore=NOT_SOURCE)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(folder / "source")]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of a fresh environment that holds the wheel, and sees our dependencies but not this folder."""
    home = tmp_path_factory.mktemp("fresh")
    venv.create(home, symlinks=True)
    fresh = str(home / "bin" / "python")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", fresh]
    subprocess.run([*pip, "install", "--quiet", "--no-index", "--no-deps", "--no-compile", str(wheel)], check=True)
    site = Path(
        subprocess.run(
            [fresh, "-Ic", "import site; print(site.getsitepackages()[0])"], capture_output=True, text=True, check=True
        ).stdout.strip()
    )
    # A .pth inside a folder that was itself added by a .pth is not read: an editable install of ours there stays out.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return home / "bin"


@pytest.fixture
def stray(tmp_path: Path) -> Path:
    """A folder with packages that are called like ours and note that they were imported."""
    for name in ("agent", "consent"):
        (tmp_path / "stray" / name).mkdir(parents=True)
        (tmp_path / "stray" / name / "__init__.py").write_text(MARK_IMPORTED)
    return tmp_path / "stray"


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """A folder with a copy of our packages, to be spoilt by a test."""
    for name in PACKAGES:
        shutil.copytree(ROOT / name, tmp_path / "ours" / name, ignore=NOT_SOURCE)
    return tmp_path / "ours"


def start(command: list[str], cwd: Path, *path: Path) -> subprocess.CompletedProcess[str]:
    """Run with nothing in the environment but PYTHONPATH."""
    environment = {"PYTHONPATH": os.pathsep.join(map(str, path)), "PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


# ---- the wheel --------------------------------------------------------------------------------------------------------


def test_the_wheel_holds_our_packages_and_nothing_else(wheel: Path) -> None:
    """Every module and data file of the six packages, the door, the metadata; no tests, no bench, no docs."""
    data = {path.relative_to(ROOT).as_posix() for folder in ("consent", "receiver") for path in (ROOT / folder).glob("*.toml")}
    modules = {path.relative_to(ROOT).as_posix() for name in PACKAGES for path in (ROOT / name).rglob("*.py")}
    names = set(zipfile.ZipFile(wheel).namelist())
    ours = {name for name in names if ".dist-info/" not in name}
    assert ours == modules | data | {"receiver/policy.example.json", "volens.py"}
    assert {"consent/register.toml", "receiver/places.toml"} <= ours


def test_the_wheel_carries_the_license_and_the_three_commands(wheel: Path) -> None:
    """Apache-2.0 asks for its text; the commands are the contract of the command line."""
    archive = zipfile.ZipFile(wheel)
    meta = {Path(name).name: archive.read(name).decode() for name in archive.namelist() if ".dist-info/" in name}
    assert "Apache License" in meta["LICENSE"]
    commands = [line.split(" = ")[0] for line in meta["entry_points.txt"].splitlines() if " = " in line]
    assert sorted(commands) == ["volens", "volens-custody", "volens-receiver"]


# ---- starting ---------------------------------------------------------------------------------------------------------


def test_the_installed_command_runs_from_the_root_folder(installed: Path) -> None:
    """It depends on no current folder."""
    done = start([str(installed / "volens"), "--version"], Path("/"))
    assert (done.returncode, done.stdout, done.stderr) == (0, f"volens {PROJECT['project']['version']}\n", "")


def test_stray_packages_on_the_path_or_in_the_current_folder_are_never_imported(installed: Path, stray: Path) -> None:
    """The installed command runs ours, and the stray `agent` and `consent` do not get to run a line."""
    done = start([str(installed / "volens"), "--version"], stray, stray)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("volens ")
    assert list(stray.rglob("imported")) == []


def test_a_child_in_isolated_mode_sees_no_stray_packages(installed: Path, stray: Path) -> None:
    """Units and children start as `python -I -m agent`."""
    done = start([str(installed / "python"), "-I", "-m", "agent", "--version"], stray, stray)
    assert (done.returncode, done.stderr) == (0, "")
    assert list(stray.rglob("imported")) == []


def test_the_door_imports_nothing_of_ours_before_it_isolates(installed: Path) -> None:
    """`volens` is the only module of ours in the process that still honours PYTHONPATH."""
    code = "import sys, volens; print(*sorted(set(sys.modules) & {'agent', 'collectors', 'consent', 'custody', 'receiver', 'transport'}))"
    assert start([str(installed / "python"), "-c", code], Path("/")).stdout == "\n"


def test_packages_side_by_side_start(packages: Path, tmp_path: Path) -> None:
    """The check has nothing against packages that lie together anywhere."""
    done = start([sys.executable, "-c", "from agent import home; print(home.find_problem())"], tmp_path, packages)
    assert (done.stdout, done.stderr) == ("None\n", "")


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda ours, _: shutil.rmtree(ours / "transport"), "the package 'transport' "),
        (lambda ours, _: (ours / "custody" / "__init__.py").unlink(), "the package 'custody' is missing"),
        (lambda ours, stray: shutil.move(ours / "consent", stray / "kept"), "another package named 'consent' is in the way"),
        (lambda ours, _: (ours / "receiver" / "__init__.py").write_text("'Pager.'"), "the package 'receiver' in"),
    ],
    ids=["missing", "without __init__", "elsewhere", "overwritten by another distribution"],
)
def test_packages_that_are_not_ours_side_by_side_are_refused_in_one_line(
    packages: Path, stray: Path, tmp_path: Path, spoil: Callable[[Path, Path], object], complaint: str
) -> None:
    """Exit 1, one line that says what is wrong and what to do, and nothing of the stray package has run."""
    shutil.rmtree(stray / "agent")
    spoil(packages, stray)
    done = start([sys.executable, "-S", "-m", "agent.home", "agent", "--version"], tmp_path, packages, stray)
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(rf"volens: {complaint}.*; install volens alone, in its own environment\n", done.stderr)
    assert list(stray.rglob("imported")) == []


def test_python_m_agent_is_checked_too(packages: Path, stray: Path, tmp_path: Path) -> None:
    """Who starts a child without the door gets the same refusal."""
    shutil.rmtree(stray / "agent")
    done = start([sys.executable, "-m", "agent", "--version"], tmp_path, stray, packages)
    assert done.returncode == 1
    assert done.stderr.startswith("volens: another package named 'consent' is in the way")
    assert list(stray.rglob("imported")) == []


# ---- the locks --------------------------------------------------------------------------------------------------------


def pins(name: str) -> dict[str, str]:
    """Package to version in one lock; every line of it must be a comment, a pin or a hash."""
    found = {}
    for line in (ROOT / "requirements" / f"{name}.lock").read_text().splitlines():
        pin = re.fullmatch(r"([a-z0-9-]+)==([^ ]+)( ; .+)? \\", line)
        assert pin or line.startswith("# ") or re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}( \\)?", line), line
        if pin:
            found[pin[1]] = pin[2]
    return found


def wanted(*extras: str) -> list[Requirement]:
    """What pyproject.toml asks for, with these extras."""
    optional = PROJECT["project"]["optional-dependencies"]
    return [Requirement(line) for line in PROJECT["project"]["dependencies"] + [line for extra in extras for line in optional[extra]]]


@pytest.mark.parametrize(("lock", "extras"), [("run", ("receiver", "tray")), ("dev", ("receiver", "tray", "dev"))])
def test_the_lock_pins_everything_that_the_project_asks_for(lock: str, extras: tuple[str, ...]) -> None:
    """A dependency that was added or raised without `./dev lock` fails here."""
    pinned = pins(lock)
    asked = wanted(*extras) + [Requirement(line) for line in PROJECT["build-system"]["requires"]]
    assert [str(each) for each in asked if not each.specifier.contains(pinned.get(canonicalize_name(each.name), "0"))] == []


def test_the_test_environment_holds_the_same_versions_as_the_one_that_runs() -> None:
    """What is tested is what runs; and the bench's packages do not move what it measures."""
    run, dev, bench = pins("run"), pins("dev"), pins("bench")
    assert run.items() <= dev.items()
    assert {name: version for name, version in bench.items() if run.get(name, version) != version} == {}


@pytest.mark.parametrize("lock", ["run", "dev", "bench"])
def test_the_lock_says_what_it_costs_to_install(lock: str) -> None:
    """`./dev` prints this line before it downloads anything."""
    second = (ROOT / "requirements" / f"{lock}.lock").read_text().splitlines()[1]
    assert re.fullmatch(r"# size: \d+ packages, \d+ MB to download, \d+ MB on disk", second)


# ---- the repository ---------------------------------------------------------------------------------------------------


def tracked_files() -> Iterator[Path]:
    """What git holds; in an unpacked archive, what is there."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False) if shutil.which("git") else None
    if listed and listed.returncode == 0:
        yield from (ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file())
        return
    for folder, folders, files in os.walk(ROOT):
        folders[:] = sorted(set(folders) - NOT_SOURCE(folder, folders))
        yield from (Path(folder) / name for name in files)


def test_no_file_names_a_registry_or_a_path_of_the_machine_it_was_written_on() -> None:
    """Where packages come from is the reader's choice; where this was written is nobody's business."""
    halves = [("/wo", "rk/"), ("/ro", "ot/"), ("pypi", ".org"), ("pythonho", "sted"), ("registry.npm", "js"), ("deb.deb", "ian")]
    needles = [(left + right).encode() for left, right in halves]  # in halves: this file must not find itself
    found = [
        f"{path.relative_to(ROOT)}: {needle.decode()}" for path in tracked_files() for needle in needles if needle in path.read_bytes()
    ]
    assert found == []


@pytest.mark.parametrize("script", ["dev", ".ci/run"])
@pytest.mark.parametrize("shell", ["sh", "dash"])
def test_the_scripts_are_plain_sh(script: str, shell: str) -> None:
    """A minimal Debian has neither bash nor make to rely on."""
    if not shutil.which(shell):
        pytest.skip(f"no {shell} here")
    assert os.access(ROOT / script, os.X_OK)
    assert (ROOT / script).read_text().startswith("#!/bin/sh\n")
    subprocess.run([shell, "-n", str(ROOT / script)], check=True)


def test_dev_names_what_is_missing_in_one_line_when_it_may_not_install(tmp_path: Path) -> None:
    """Neither root nor a sudo that works: exit 1, nothing made, and the command for somebody who may."""
    for name, answer in {"id": "echo 1000", "dpkg-query": "exit 1", "sudo": "exit 1"}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{answer}\n")
        (tmp_path / name).chmod(0o755)
    clone = tmp_path / "a clone"
    clone.mkdir()
    shutil.copy(ROOT / "dev", clone)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run([clone / "dev", "run"], env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"volens: Debian packages are missing, [^\n]+: ([^\n;]+); run: apt-get install \1\n", done.stderr)
    assert "xvfb" in done.stderr
    assert [path.name for path in clone.iterdir()] == ["dev"]
