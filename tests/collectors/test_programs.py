"""Programs by identity: the file that runs is the listed one, or the window is of no surface. By the thousand, then for real."""

import os
import random
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from collectors.backends import x11_windows
from collectors.identity import FileFacts, Identity, Running, started_of
from collectors.packages import Packages
from collectors.pipe import SurfaceRule
from collectors.processes import Processes
from collectors.programs import BY_PATH_ALONE, Programs
from consent.policy import PolicyError, parse
from consent.vocabulary import SurfaceId
from tests.policies import as_bytes, policy, surface

CASES = 25_000
"""With as many hosts (tests/consent/test_hosts.py) 50,000."""
FILE, FOLDER = stat.S_IFREG | 0o755, stat.S_IFDIR | 0o755
LISTED = {"/usr/bin/mousepad": "editor", "/usr/lib/libreoffice/program/soffice.bin": "office", "/opt/tool/tool": "tool"}
RULES = [SurfaceRule(SurfaceId(name), (path,), False, ("pack",) if name == "editor" else ()) for path, name in LISTED.items()]


@dataclass
class Machine:
    """A system of the test's: its files by path, and one process; `then` is what the process is when it is looked at again."""

    files: dict[str, FileFacts] = field(default_factory=dict)
    running: Running | None = None
    then: Running | None = None
    packages: dict[str, bool | None] = field(default_factory=dict)
    looks: int = 0
    asked: int = 0

    def resolved(self, path: str) -> str:
        return path

    def process(self, pid: int) -> Running | None:
        self.looks += 1
        return self.running if self.looks == 1 else self.then

    def file(self, path: str) -> FileFacts | None:
        return self.files.get(path)

    def knows_packages(self) -> bool:
        return True

    def brought(self, path: str, names: Iterable[str]) -> bool | None:
        self.asked += 1
        return self.packages.get(path, True)


def sound(path: str = "/usr/bin/mousepad") -> Machine:
    """A machine on which the program at this path runs as it should."""
    parts, files = path.split("/"), {}
    for depth in range(1, len(parts)):
        files["/".join(parts[:depth]) or "/"] = FileFacts(1, depth, 0, FOLDER, 2, 0)
    for number, each in enumerate(LISTED):
        files[each] = FileFacts(1, 100 + number, 0, FILE, 1, 0)
    files.setdefault(path, FileFacts(1, 99, 0, FILE, 1, 0))
    running = Running(7, 70, path, files[path], True)
    return Machine(files, running, running)


def test_the_listed_program_is_recognised() -> None:
    """Each by its path and its file; and looked up in dpkg's records once, however many windows it opens."""
    for path, name in LISTED.items():
        found = Programs(RULES, sound(path)).of(7)
        assert found is not None
        assert found.rule.surface == name
    machine = sound()
    programs = Programs(RULES, machine)
    assert all(programs.of(7) for _ in range(9))
    assert machine.asked == 1


def _rename(path: str, chance: random.Random) -> str:
    """Another path that looks like this one."""
    base = path.rsplit("/", 1)[-1]
    return chance.choice(
        [
            f"{path} (deleted)",
            path.upper(),
            f"/home/me{path}",
            f"/tmp/{base}",
            path.replace("/usr", "/usr/local", 1) if "/usr" in path else f"/usr{path}",
            f"{path}/",
            f"/{path}",
            path.replace("/", "//", 2),
            f"{path}-wrapped",
            f"{path}\n",
            f"{path}\x00",
            path.replace("o", "о", 1),
            f"/proc/self/root{path}",
            f"{path.rsplit('/', 1)[0]}/../{path.split('/')[1]}/{base}",
            path[:-1],
            "",
            base,
        ]
    )


def _inode(file: FileFacts, chance: random.Random) -> FileFacts:
    return replace(file, inode=chance.choice([0, 1, 999, file.inode + 1]))


_OF_ITS_FILE: dict[str, Callable[[FileFacts, random.Random], FileFacts]] = {
    "another file": _inode,
    "another device": lambda file, chance: replace(file, device=file.device + chance.randint(1, 9)),
    "deleted": lambda file, _: replace(file, links=0),
    "no program": lambda file, chance: replace(file, mode=chance.choice([stat.S_IFIFO, stat.S_IFDIR, stat.S_IFLNK]) | 0o755),
}
_OF_BOTH: dict[str, Callable[[FileFacts, random.Random], FileFacts]] = {
    "somebody's": lambda file, chance: replace(file, owner=chance.choice([1, 1000, 65534])),
    "writable": lambda file, chance: replace(file, mode=file.mode | chance.choice([0o020, 0o002, 0o022])),
}
_OF_THE_PROCESS: dict[str, Callable[[Running, random.Random], Running]] = {
    "renamed": lambda running, chance: replace(running, path=_rename(running.path, chance)),
    "another account": lambda running, _: replace(running, ours=False),
    "interpreter": lambda running, _: replace(running, path="/usr/bin/python3.11"),
}
_OF_A_FOLDER: dict[str, FileFacts] = {
    "somebody's folder": FileFacts(1, 1, 1000, FOLDER, 2, 0),
    "writable folder": FileFacts(1, 1, 0, FOLDER | 0o022, 2, 0),
    "linked folder": FileFacts(1, 1, 0, stat.S_IFLNK | 0o755, 1, 0),
}
_LATER: dict[str, Callable[[Running, random.Random], Running | None]] = {
    "another process": lambda running, _: replace(running, started=running.started + 1),
    "another program": lambda running, chance: replace(running, file=_inode(running.file, chance)),
    "ended": lambda *_: None,
}
_TRICKS = [*_OF_ITS_FILE, *_OF_BOTH, *_OF_THE_PROCESS, *_OF_A_FOLDER, "not there", "of no package", *_LATER]


def _play(machine: Machine, trick: str, chance: random.Random) -> None:
    """One trick of a person's own programs, or of chance. Those of _LATER are played last."""
    running = machine.running
    assert running is not None
    if trick in _OF_ITS_FILE:
        running = replace(running, file=_OF_ITS_FILE[trick](running.file, chance))
    if trick in _OF_BOTH:
        running = replace(running, file=_OF_BOTH[trick](running.file, chance))
        machine.files[running.path] = running.file
    if trick in _OF_THE_PROCESS:
        running = _OF_THE_PROCESS[trick](running, chance)
    if trick in _OF_A_FOLDER:
        folders = [each for each in machine.files if running.path.startswith(f"{each.rstrip('/')}/")]
        machine.files[chance.choice(folders or ["/"])] = _OF_A_FOLDER[trick]
    if trick == "not there":
        machine.files.pop(running.path, None)
    if trick == "of no package":
        machine.packages = dict.fromkeys(LISTED, False)
    machine.running, machine.then = running, _LATER[trick](running, chance) if trick in _LATER else running


def test_of_25000_tricks_not_one_makes_a_program_the_listed_one() -> None:
    """Renamed, copied, linked, mounted over, deleted, replaced, writable, of another account, started anew under the same number,
    become another: one trick or several at once. Seeded."""
    chance, false_yes = random.Random(20_261_121), []
    for _ in range(CASES):
        path = chance.choice(list(LISTED))
        machine, tricks = sound(path), chance.sample(_TRICKS, chance.choice([1, 1, 1, 2, 3]))
        for trick in sorted(tricks, key=_TRICKS.index):
            _play(machine, trick, chance)
        if tricks == ["of no package"] and path != "/usr/bin/mousepad":
            continue  # no package is asked for there
        if Programs(RULES, machine).of(7) is not None:
            false_yes.append((path, tricks))
    assert false_yes == []


def test_what_two_surfaces_list_is_recognised_as_nothing_unless_all_of_them_are_sites() -> None:
    """A program of two surfaces after its links are followed: an opaque gap, and no guess. Of a browser of sites, which sites."""
    site = SurfaceRule(SurfaceId("forge"), ("/usr/bin/mousepad",), False, (), ("github.com",))
    wiki = SurfaceRule(SurfaceId("wiki"), ("/usr/bin/mousepad",), False, (), ("wiki.example.org",))
    found = Programs([site, wiki], sound()).of(7)
    assert found is not None
    assert found.sites == (site, wiki)
    whole = Programs(RULES, sound()).of(7)
    assert whole is not None
    assert whole.sites == ()
    assert Programs([RULES[0], site], sound()).of(7) is Programs([site, RULES[0]], sound()).of(7) is None
    assert Programs([RULES[0], replace_surface(RULES[0], "other")], sound()).of(7) is None
    python = sound("/usr/bin/python3.11")
    assert python.running is not None
    assert Programs([SurfaceRule(SurfaceId("script"), (python.running.path,), False)], python).of(7) is None  # what a link leads to


def replace_surface(rule: SurfaceRule, name: str) -> SurfaceRule:
    return SurfaceRule(SurfaceId(name), rule.executables, rule.structure_only, rule.packages, rule.hosts)


@pytest.mark.parametrize(
    "path",
    "/usr/bin/python3 /usr/bin/python3.11 /bin/sh /bin/bash /usr/bin/perl /usr/bin/perl5.36.0 /usr/bin/perl5.36-x86_64-linux-gnu "
    "/usr/bin/node /usr/bin/nodejs /usr/lib/jvm/java-17-openjdk-amd64/bin/java /usr/lib/wine/wine64 /usr/lib/wine/wine64-preloader "
    "/usr/lib/electron/electron /opt/electron25/electron25 /usr/bin/ruby3.1 /usr/bin/php8.2 /usr/bin/lua5.4 /usr/bin/tclsh8.6 /usr/bin/gjs "
    "/lib64/ld-linux-x86-64.so.2 /lib/ld-musl-x86_64.so.1 /usr/bin/qemu-x86_64-static /usr/bin/busybox /usr/bin/flatpak /usr/bin/env "
    "/usr/bin/Python3 /usr/bin/mono-sgen /usr/bin/dotnet /usr/bin/guile-3.0 /usr/bin/python3-dbg".split(),
)
def test_a_policy_cannot_list_what_runs_anything(path: str) -> None:
    """A script's identity is its interpreter, which says nothing: such a policy is refused as a whole, in one line."""
    with pytest.raises(PolicyError, match="interpreter") as caught:
        parse(as_bytes(policy(surfaces=[surface(executables=["/usr/bin/mousepad", path])])))
    assert "\n" not in str(caught.value)


def test_a_window_cannot_name_its_own_process() -> None:
    """Neither its title, nor its class, nor the process number that it gives itself is ever asked for."""
    source = Path(x11_windows.__file__).read_text()
    for word in ("WM_CLASS", "WM_NAME", "get_wm_class", "get_wm_name", 'intern_atom("_NET_WM_PID")', "cmdline", "comm"):
        assert word not in source.replace("(_NET_WM_PID)", "")


# --- real processes ----------------------------------------------------------------------------------------------------

TAIL = os.path.realpath("/usr/bin/tail")
SLEEP = os.path.realpath("/usr/bin/sleep")
NAMESPACES = subprocess.run(["unshare", "--user", "--map-root-user", "--mount", "true"], capture_output=True, check=False).returncode == 0


def _programs(*names: str, path: str = SLEEP) -> Programs:
    return Programs([SurfaceRule(SurfaceId("sleep"), (path,), False, names)], Processes())


@contextmanager
def _running(*words: str | Path) -> Iterator[int]:
    """The pid of this program, once it is the program."""
    process = subprocess.Popen(list(words), stdout=subprocess.PIPE, text=True)
    try:
        yield process.pid
    finally:
        process.kill()
        process.communicate()


@contextmanager
def _said_ready(*words: str) -> Iterator[subprocess.Popen[str]]:
    """A process that has become a program which has said `ready`: `tail -f` of a file that says so."""
    with subprocess.Popen(list(words), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            _is_ready(process)
            yield process
        finally:
            process.kill()


def _is_ready(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"


def _ready(folder: Path) -> Path:
    (folder / "said").write_text("ready\n")
    return folder / "said"


def test_a_real_program_is_recognised_and_its_package_is_known() -> None:
    """The system's own `sleep` is of coreutils, and of no other package; a number that nobody has is nobody."""
    with _running(SLEEP, "60") as pid:
        known = _programs().of(pid)
        assert known is not None
        assert known.rule.surface == "sleep"
        assert _programs("coreutils").of(pid) is not None
        assert _programs("mousepad", "no-such-package").of(pid) is None
        assert _programs().still(known)
    assert not _programs().still(known)
    assert _programs().of(pid) is _programs().of(0) is _programs().of(2**22) is None


def test_a_copy_a_rename_and_a_link_are_other_programs(tmp_path: Path) -> None:
    """The same bytes under another path, the listed path's name elsewhere, a symbolic link's path: none is listed by that."""
    copy = tmp_path / "sleep"
    shutil.copy(SLEEP, copy)
    with _running(copy, "60") as pid:
        assert _programs().of(pid) is None
        assert _programs(path=str(copy)).of(pid) is None  # below a folder that is not the system's alone, or not root's
    link = tmp_path / "mousepad"
    link.symlink_to(TAIL)
    with _running(link, "-f", "/dev/null") as pid:
        assert _programs(path="/usr/bin/mousepad").of(pid) is None


def test_a_deleted_program_is_no_longer_the_listed_one(tmp_path: Path) -> None:
    """Its path may hold another by now; an update has the same effect, until the program is started again."""
    copy = tmp_path / "tool"
    shutil.copy(SLEEP, copy)
    with _running(copy, "60") as pid:
        system = Processes()
        before = system.process(pid)
        assert before is not None
        copy.unlink()
        shutil.copy(SLEEP, copy)
        after = system.process(pid)
        assert after is not None
        assert (after.file.links, after.path) == (0, f"{copy} (deleted)")
        assert after != before


@pytest.mark.skipif(not NAMESPACES, reason="this account may not make namespaces")
def test_a_program_that_is_mounted_over_the_listed_path_in_another_namespace_is_another(tmp_path: Path) -> None:
    """The kernel calls it by the listed path, and it is another file: the path alone, which was believed before, would be fooled."""
    script = f"mount --bind {TAIL} {SLEEP} && exec {SLEEP} -n 1 -f {_ready(tmp_path)}"
    with _said_ready("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script) as process:
        assert os.readlink(f"/proc/{process.pid}/exe") == SLEEP
        assert _programs().of(process.pid) is None


@pytest.mark.skipif(not NAMESPACES, reason="this account may not change its root")
def test_a_program_at_the_listed_path_of_another_root_is_another(tmp_path: Path) -> None:
    """A chroot with a file of that name at that place."""
    for each in (TAIL, *_libraries(TAIL)):
        target = tmp_path / each.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(each, target)
    _ready(tmp_path)
    with _said_ready("unshare", "--user", "--map-root-user", f"--root={tmp_path}", TAIL, "-n", "1", "-f", "/said") as process:
        assert os.readlink(f"/proc/{process.pid}/exe").endswith(TAIL)
        assert _programs(path=TAIL).of(process.pid) is None


def _libraries(program: str) -> list[str]:
    said = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    return [word for line in said.splitlines() for word in line.split() if word.startswith("/")]


def test_a_process_that_becomes_another_program_is_no_longer_recognised(tmp_path: Path) -> None:
    """The same process, the same number, another file: what was known of it ends with the next look."""
    script = f"{TAIL} -n 1 {_ready(tmp_path)}; read line; exec {TAIL} -n 1 -f {tmp_path / 'said'}"
    with _said_ready("sh", "-c", script) as process:
        shell = Processes().process(process.pid)
        assert shell is not None
        known = Identity(SurfaceRule(SurfaceId("shell"), (shell.path,), False), shell)
        assert _programs().still(known)
        print("go on", file=process.stdin, flush=True)
        _is_ready(process)
        assert os.readlink(f"/proc/{process.pid}/exe") == TAIL
        assert not _programs().still(known)


@pytest.mark.parametrize("name", ["sleep", ") 1 (", "a b", ")))", "x\n1 2 3"])
def test_a_process_cannot_lie_about_its_start_by_its_name(name: str) -> None:
    """The name of a process is its own to choose; what follows the last bracket is the kernel's."""
    line = f"7 ({name}) S {' '.join(str(number) for number in range(4, 53))}".encode()
    assert started_of(line) == 22
    assert started_of(b"7 (x") is None


# --- packages ----------------------------------------------------------------------------------------------------------


def _records(folder: Path, name: str, path: Path, md5: str | None) -> Packages:
    (folder / f"{name}.list").write_text(f"/.\n{path}\n")
    if md5 is not None:
        (folder / f"{name}.md5sums").write_text(f"{md5}  {str(path)[1:]}\n")
    return Packages(folder)


def test_a_package_is_known_by_dpkgs_records(tmp_path: Path) -> None:
    """The file stands in the package's list, and is still what the package brought; without records nothing is of a package;
    without dpkg, or of what dpkg does not bring, nobody can say."""
    program, info = tmp_path / "program", tmp_path / "info"
    program.write_bytes(b"hello")
    assert Packages(info).brought(str(program), ["pack"]) is None
    info.mkdir()
    assert Packages(info).brought(str(program), ["pack"]) is False
    assert _records(info, "pack", program, None).brought(str(program), ["pack"])
    assert _records(info, "pack", program, "5d41402abc4b2a76b9719d911017c592").brought(str(program), ["other", "pack"])
    assert _records(info, "pack", program, "0" * 32).brought(str(program), ["pack"]) is False
    assert _records(info, "multi:amd64", program, None).brought(str(program), ["multi"])
    assert Packages(info).brought("/snap/firefox/1/usr/lib/firefox/firefox", ["firefox"]) is None


def test_without_dpkg_the_path_stands_and_that_is_said(tmp_path: Path) -> None:
    """On another system a program is known by its path alone; `status` says so of the windows."""
    system = Processes(Packages(tmp_path / "none"))
    with _running(SLEEP, "60") as pid:
        programs = Programs([SurfaceRule(SurfaceId("sleep"), (SLEEP,), False, ("coreutils",))], system)
        assert programs.of(pid) is not None
        assert programs.doubt == BY_PATH_ALONE
    assert _programs("coreutils").doubt == _programs().doubt == ""
