"""What a person reads on a terminal, word for word: tests/transcripts/*.txt, each line of them by a real process.

    $ COMMAND           run it; words that are no command of ours prepare something (`Desk.prepare`)
    OUTPUT              what it prints on stdout; a line of stderr has `! ` before it
    ? CODE              its exit code, if it is not 0

What is different each time stands as a word in capitals: FOLDER, TIME, VERSION; a command may name the NEWEST id that was printed.
`python -m tests.test_transcripts` writes them anew.
"""

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from subprocess import Popen

import pytest

from tests.commands import LONGEST_S, MODULES, Place, run, start
from tests.policies import as_bytes, policy, surface

FOLDER = Path(__file__).parent / "transcripts"
TRANSCRIPTS = sorted(FOLDER.glob("*.txt"))
CHANGES = (
    (r"\b\d{4}-\d\d-\d\d \d\d:\d\d UTC", "TIME"),
    (r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", "TIME"),
    (r"\buntil \d{4}-\d\d-\d\d\b", "until DAY"),
    (r"\b[0-9a-f]{64}\b", "HASH"),
    (r"process \d+", "process NUMBER"),
    (r"\b(?=[0-9a-f]*[0-9])[0-9a-f]{12}\b", "NEWEST"),
)


@dataclass(frozen=True, slots=True)
class Act:
    """One command of a transcript, and what it said."""

    line: str
    said: str


def acts(text: str) -> Iterator[Act]:
    """The commands of a transcript; what stands before the first is a comment."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        line, _, said = part.partition("\n")
        yield Act(line, said)


class Desk:
    """Where a transcript is done: commands, files, and a daemon if it starts one."""

    def __init__(self, folder: Path) -> None:
        self._place = Place(folder)
        self._daemon: Popen[bytes] | None = None
        self._newest = ""

    def do(self, line: str) -> str:
        """Run one line, and what a person sees of it."""
        words = line.split()
        if words[0] not in MODULES:
            self.prepare(words[0], words[1:])
            return ""
        done = run(self._place, [self._newest if word == "NEWEST" else word for word in words])
        for found in re.findall(r"\b(?=[0-9a-f]*[0-9])[0-9a-f]{12}\b", done.out):
            self._newest = found
        said = done.out + "".join(f"! {each}\n" for each in done.err.splitlines()) + (f"? {done.code}\n" if done.code else "")
        return steady(said.replace(str(self._place.folder), "FOLDER"))

    def prepare(self, verb: str, words: list[str]) -> None:
        """Start the daemon, wait for its end, or change the files; paths are of the transcript's folder."""
        path = self._place.folder.joinpath(*words[:1])
        match verb:
            case "start":
                self._daemon = start(self._place)
            case "ended":
                assert self._daemon is not None
                self._daemon.wait(LONGEST_S)
            case "make":
                path.mkdir(mode=0o700, parents=True)
            case "write":
                for folder in reversed([each for each in path.parents if not each.exists()]):
                    folder.mkdir(mode=0o700)
                path.write_text(" ".join(words[1:]) + "\n")
                path.chmod(0o600)
            case "policy":
                path.write_bytes(as_bytes(policy(version=int(words[1]), surfaces=[surface(kinds=words[2].split(","))])))
            case "chmod":
                path.chmod(int(words[1], 8))
            case "damage":
                path.write_bytes(path.read_bytes().replace(b'"what":"', b'"what":"not_', 1))
            case "remove":
                path.unlink()
            case _:
                raise ValueError(f"no transcript knows how to {verb}")

    def close(self) -> None:
        """End what was started."""
        if self._daemon is not None and self._daemon.poll() is None:
            self._daemon.terminate()
            self._daemon.wait(LONGEST_S)


def steady(said: str) -> str:
    """What was said, without what is different each time."""
    for pattern, word in CHANGES:
        said = re.sub(pattern, word, said)
    return said


def anew(text: str, folder: Path) -> str:
    """The transcript as it is when everything in it is done now."""
    head = text.split("$ ", maxsplit=1)[0]
    with closing(Desk(folder)) as desk:
        return head + "".join(f"$ {act.line}\n{desk.do(act.line)}\n" for act in acts(text))


@pytest.fixture(scope="module")
def done(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Path, Future[str]]]:
    """All transcripts that were asked for, one beside the other: each waits for its own processes, in a folder of its own."""
    chosen = [item.callspec.params["path"] for item in request.session.items if item.name.startswith("test_commands_say")]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield {path: pool.submit(anew, path.read_text(), tmp_path_factory.mktemp(path.stem)) for path in chosen}


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_commands_say_what_they_said(path: Path, done: dict[Path, Future[str]]) -> None:
    """Every word of every command in this transcript. To mend: python -m tests.test_transcripts NAME, and read the difference."""
    assert done[path].result() == path.read_text()


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_errors_are_one_line_that_says_what_and_what_to_do(path: Path) -> None:
    """`volens: what is wrong; what to do`, exit 1 or 2; nothing of a traceback, nothing wider than a line can be read."""
    for act in acts(path.read_text()):
        complaints = [line for line in act.said.splitlines() if line.startswith("! ")]
        failed = re.search(r"^\? [12]$", act.said, re.MULTILINE)
        if failed and not complaints[0].startswith("! Usage: "):
            assert len(complaints) == 1, act.line
            assert re.match(rf"! {act.line.split()[0]}: .+; .+", complaints[0]), complaints


def test_output_fits_a_terminal_of_80_columns() -> None:
    """What is printed for people to read; JSON and single long words apart, answers in one line are wrapped by the terminal's own rules."""
    texts = [act.said for path in TRANSCRIPTS for act in acts(path.read_text()) if re.search(r"status$|--help$", act.line)]
    assert texts
    assert all(len(line) <= 80 for text in texts for line in text.splitlines() if not line.startswith("! "))


def test_the_version_is_said() -> None:
    """`volens --version`: the installed one's; from a tree that was never installed, a line that says so."""
    with tempfile.TemporaryDirectory() as folder:
        done = run(Place(Path(folder)), ["volens", "--version"])
    try:
        assert (done.code, done.out) == (0, f"volens {version('volens')}\n")
    except PackageNotFoundError:
        assert (done.code, done.err) == (1, "volens: this volens is not installed, so it has no version; install it: ./dev run\n")


def write(names: list[str]) -> None:
    """Write these transcripts anew, or all."""
    for path in TRANSCRIPTS:
        if not names or path.stem in names:
            with tempfile.TemporaryDirectory() as folder:
                path.write_text(anew(path.read_text(), Path(folder)))


if __name__ == "__main__":
    write(sys.argv[1:])
