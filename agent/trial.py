"""`volens run --trial`: the agent on this desktop with everything it needs on this machine, throw-away keys, and a label that says so.

Three custodians, a purpose key, a receiver on 127.0.0.1, the daemon and its icon; then the consent step in this terminal. All of
it lives in one private folder that is deleted at the end. Nothing leaves the machine. It refuses to start without a display and a
session bus, because there could be no icon then.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from agent.channel import Channel
from agent.demo.calls import Calls, argv
from agent.demo.policy import Application
from agent.demo.trial import enrol, executable, prepare, serve
from agent.errors import AgentError, NotRunning
from agent.messages import AskStatus, StatusIs

PROGRAMS = ("mousepad", "gedit", "gnome-text-editor", "kate", "kwrite", "featherpad", "pluma", "xed", "thunar", "nautilus", "zenity")
"""Small programs of common desktops, to try it with. Only those that are here are on the trial's list."""

_READY_WITHIN_S = 30.0
_LOOK_EVERY_S = 0.2
_LABEL = """\
LOCAL TRIAL. Throw-away keys; the receiver runs on this machine (127.0.0.1); nothing leaves it; everything is deleted when you
end it with Ctrl-C. It may look only at: {names}.
"""
_NEXT = "Now use one of them, and try: the icon's menu. In another terminal of this session, set {env} and try: volens status\n"


class TrialImpossible(AgentError):
    """A local trial cannot be had here."""


def run_trial() -> int:
    """Set everything up, ask for consent in this terminal, show the status until Ctrl-C. Returns the exit code."""
    for variable, what in (("DISPLAY", "display"), ("DBUS_SESSION_BUS_ADDRESS", "session bus")):
        if not os.environ.get(variable):
            raise TrialImpossible(f"there is no {what}, so nobody could see an icon", "try the demo, which brings its own: volens demo")
    applications = _applications()
    if not applications:
        raise TrialImpossible("none of the programs that the trial may look at is installed", f"install one of: {', '.join(PROGRAMS)}")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="volens-trial-")))
        calls = Calls(_environment(folder))
        sys.stdout.write(_LABEL.format(names=", ".join(each.name for each in applications)))
        trial = prepare(folder / "trial", calls, applications)
        start = _Started(calls, folder)
        stack.callback(start.end)
        serve(trial, start)
        enrol(trial, Path(calls.env["XDG_STATE_HOME"]) / "volens")
        start(argv("agent", ["run"]), [])
        _wait_ready(Path(calls.env["XDG_RUNTIME_DIR"]) / "volens" / "control")
        with _interrupted():
            subprocess.run(argv("agent", ["consent", "give"]), env=dict(calls.env), check=False)  # noqa: S603
            sys.stdout.write(_NEXT.format(env=" ".join(f"{name}={calls.env[name]}" for name in ("XDG_STATE_HOME", "XDG_RUNTIME_DIR"))))
            sys.stdout.flush()
            subprocess.run(argv("agent", ["status", "--watch"]), env=dict(calls.env), check=False)  # noqa: S603
    sys.stdout.write("The trial is over; everything that it made is deleted.\n")
    return 0


def _applications() -> list[Application]:
    found = {name: executable(name) for name in PROGRAMS}
    return [Application(name, name, path) for name, path in found.items() if path != f"/{name}"]


def _environment(folder: Path) -> dict[str, str]:
    """The person's own desktop, but state and runtime in the trial's folder."""
    env = dict(os.environ)
    for variable, name in (("XDG_STATE_HOME", "state"), ("XDG_RUNTIME_DIR", "run")):
        path = folder / name
        path.mkdir(mode=0o700)
        env[variable] = str(path)
    return env


class _Started:
    """Starts the trial's servers, and ends them."""

    def __init__(self, calls: Calls, folder: Path) -> None:
        self._calls, self._folder = calls, folder
        self._processes: list[subprocess.Popen[bytes]] = []

    def __call__(self, command: Sequence[str], keeps: Sequence[int]) -> subprocess.Popen[bytes]:
        with (self._folder / "log").open("ab") as log:
            process = subprocess.Popen(  # noqa: S603
                command, env=dict(self._calls.env), stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=keeps, start_new_session=True
            )
        self._processes.append(process)
        return process

    def end(self) -> None:
        """Ask each to end, the last started first, and wait for it."""
        for process in reversed(self._processes):
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_ready(socket: Path) -> None:
    """Return when the daemon has a policy and a visible icon."""
    for _ in range(int(_READY_WITHIN_S / _LOOK_EVERY_S)):
        try:
            with Channel(socket) as channel:
                match channel.ask(AskStatus()):
                    case StatusIs(report) if report.indicator.live and report.policy.version:
                        return
        except NotRunning:
            pass
        time.sleep(_LOOK_EVERY_S)
    raise TrialImpossible(
        "the agent or its icon did not come up within 30 seconds", "look whether this desktop shows tray icons or windows"
    )


@contextmanager
def _interrupted() -> Iterator[None]:
    """Ctrl-C ends the command in the foreground, and then the trial."""
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
