"""Makes the traces in tests/collectors/traces: the fixed workload of bench, or some stretches of it, on a private desktop.

`python -m tests.collectors.recorded [NAME ...]`. What is typed into the editor, the terminal and the password dialog is in
`bench/schedule.py`; nothing of it is in a trace. Run it again when the back end says something new, or a word of the format has changed.
"""

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from agent import clock
from agent.demo.clock import rest
from agent.demo.stage import Screen, stage
from agent.demo.trial import executable
from bench.apps import dialog, start_apps
from bench.player import Player
from bench.recorders import APPLICATIONS
from bench.schedule import HEIGHT, WIDTH, Workload, workload
from collectors import observer
from collectors.backends import linux_x11
from collectors.pipe import Grant, SurfaceRule, encode
from consent.frames import frame
from consent.policy import STRUCTURE_ONLY_CATEGORIES
from consent.vocabulary import Kind, SurfaceId
from tests.collectors.recording import recording

TRACES = Path(__file__).parent / "traces"
SETTLES_S = 3.0
"""Until the hooks are in place, and until everything is told."""


@dataclass(frozen=True)
class Recording:
    """One trace: which stretches of which workload; none: all."""

    seed: int
    stretches: tuple[str, ...] = ()


RECORDINGS = {
    "work": Recording(20260101),
    "typing": Recording(7, ("typing", "mouse", "scroll", "menu")),
    "password": Recording(11, ("switch", "password")),
}


def chosen(what: Recording) -> Workload:
    """The stretches, one after the other."""
    whole = workload(what.seed)
    if not what.stretches:
        return whole
    inputs, now_s = [], 0.0
    for stretch in (stretch for stretch in whole.stretches if stretch.name in what.stretches):
        by_s = now_s - stretch.from_s
        inputs += [replace(timed, at_s=timed.at_s + by_s) for timed in whole.inputs if stretch.from_s <= timed.at_s < stretch.to_s]
        now_s += stretch.to_s - stretch.from_s
    return Workload(tuple(inputs), (), now_s)


def grant() -> Grant:
    """The applications of the bench, as its policy has them."""
    rules = [
        SurfaceRule(SurfaceId(surface), (executable(program),), category in STRUCTURE_ONLY_CATEGORIES)
        for surface, program, category in APPLICATIONS
    ]
    return Grant(1, frozenset(Kind), tuple(rules))


def record(what: Recording, path: Path) -> None:
    """Play the workload on a desktop of its own, beside an observer that writes down what its back end says."""
    with stage(Screen(WIDTH, HEIGHT), panel=False) as desktop:
        start_apps(desktop)
        player = Player(desktop.display, dialog(desktop))
        up_r, up_w = os.pipe()
        argv = [sys.executable, "-m", "tests.collectors.recorded", "observe", str(up_w), str(path)]
        environment = {**desktop.desktop, "PYTHONPATH": str(Path(__file__).parents[2])}
        child = subprocess.Popen(argv, stdin=subprocess.PIPE, pass_fds=(up_w,), env=environment)
        os.close(up_w)
        assert child.stdin is not None
        child.stdin.write(frame(encode(grant())))
        child.stdin.flush()
        drain = subprocess.Popen(["cat"], stdin=up_r, stdout=subprocess.DEVNULL)
        rest(SETTLES_S)
        player.play(chosen(what))
        rest(SETTLES_S)
        child.stdin.close()
        assert child.wait(10) == 0
        os.close(up_r)
        drain.wait(10)


def observe(up: int, path: Path) -> int:
    """The observer, with the recorder in the place of its shaper."""
    with path.open("wb", buffering=0) as file:
        linux_x11.Shaper = recording(lambda line: file.write(line + b"\n"))  # type: ignore[misc, assignment]
        return observer.run(clock.read, 0, up)


def main() -> int:
    """Make the named traces, or all."""
    if sys.argv[1:2] == ["observe"]:
        return observe(int(sys.argv[2]), Path(sys.argv[3]))
    for name in sys.argv[1:] or RECORDINGS:
        with tempfile.TemporaryDirectory() as folder:
            made = Path(folder) / "trace"
            record(RECORDINGS[name], made)
            TRACES.mkdir(exist_ok=True)
            (TRACES / f"{name}.trace").write_bytes(made.read_bytes())
    return 0


if __name__ == "__main__":
    sys.exit(main())
