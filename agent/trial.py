"""`volens run --trial`: the agent on this desktop with everything it needs on this machine, throw-away keys, and a label that says so.

Three custodians, a purpose key, a receiver on 127.0.0.1, the daemon and its icon; then the consent step in this terminal. All of
it lives in one private folder that is deleted at the end, however it ends. Nothing leaves the machine, and the desktop's own
keyring is not touched. It refuses to start where there could be no icon, or nothing to observe.
"""

import contextlib
import os
import secrets
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from agent.channel import Channel
from agent.demo.calls import Calls, argv
from agent.demo.children import Children, dying_with_us
from agent.demo.errors import NotInTime
from agent.demo.policy import Application
from agent.demo.trial import enrol, executable, prepare, serve
from agent.demo.wait import until
from agent.errors import AgentError, NotRunning
from agent.messages import AskStatus, StatusIs
from agent.status import Status
from consent.vocabulary import State

PROGRAMS = ("mousepad", "gedit", "gnome-text-editor", "kate", "kwrite", "featherpad", "pluma", "xed", "thunar", "nautilus", "dolphin")
"""Small programs of common desktops, to try it with. Only those that are here are on the trial's list."""

_LOOK_EVERY_S = 0.2
_BUS = "DBUS_SESSION_BUS_ADDRESS"
_OURS = ("XDG_STATE_HOME", "XDG_RUNTIME_DIR", "PYTHON_KEYRING_BACKEND")
_OVER = "The trial is over; everything that it made is deleted.\n"
_LABEL = """\
LOCAL TRIAL: throw-away keys, and a receiver on this machine (127.0.0.1).
Nothing leaves the machine, and everything is deleted when you end it (Ctrl-C).
It may look only at: {names}.

"""
_NEXT = """
Now work in {names}, and try the icon's menu. Ctrl-C ends the trial.
In another terminal, for what is held of your work: {command} show

"""
_DECLINED = "The trial has nothing to show without a yes.\n"


class TrialImpossible(AgentError):
    """A local trial cannot be had here."""


def run_trial() -> int:
    """Set everything up, ask for consent in this terminal, show the status until Ctrl-C. Returns the exit code."""
    desktop = desktop_of(os.environ)
    applications = _applications()
    if not applications:
        raise TrialImpossible("none of the programs that the trial may look at is installed", f"install one of: {', '.join(PROGRAMS)}")
    with contextlib.suppress(KeyboardInterrupt), _ended_by_signals(), ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="volens-trial-")))
        children = Children(secrets.token_hex(16), folder)
        stack.callback(children.end)
        _perform(folder, children, desktop, applications)
    _say(_OVER)
    return 0


def desktop_of(env: Mapping[str, str]) -> dict[str, str]:
    """The person's environment, with the session bus's address.

    Raises:
        TrialImpossible: There could be no icon, or nothing could be observed.
    """
    bus = Path(env.get("XDG_RUNTIME_DIR", "/nowhere")) / "bus"
    address = env.get(_BUS) or (f"unix:path={bus}" if bus.is_socket() else "")
    if env.get("WAYLAND_DISPLAY") or env.get("XDG_SESSION_TYPE") == "wayland":
        raise TrialImpossible("this is a Wayland session, where input cannot be observed", "log in to an X11 session, or try: volens demo")
    for found, what in ((env.get("DISPLAY"), "display"), (address, "session bus")):
        if not found:
            raise TrialImpossible(f"there is no {what}, so nobody could see an icon", "try the demo, which brings its own: volens demo")
    return {**env, _BUS: address}


def _perform(folder: Path, children: Children, desktop: Mapping[str, str], applications: list[Application]) -> None:
    calls = Calls(_environment(desktop, folder))
    names = ", ".join(each.name for each in applications)
    _say(_LABEL.format(names=names))
    trial = prepare(folder / "trial", calls, applications)
    serve(trial, lambda command, fds: children.start(command, calls.env, name="receiver", pass_fds=fds))
    enrol(trial, Path(calls.env["XDG_STATE_HOME"]) / "volens")
    children.start(argv("agent", ["run"]), calls.env, name="agent")
    control = Path(calls.env["XDG_RUNTIME_DIR"]) / "volens" / "control"
    _wait_ready(control)
    _in_this_terminal(calls, "consent", "give")
    status = _status(control)
    if status is None or status.standing in (State.UNASKED, State.WITHDRAWN):
        _say(_DECLINED)
        return
    _say(_NEXT.format(names=names, command=_command(folder, calls.env)))
    _in_this_terminal(calls, "status", "--watch")


def _applications() -> list[Application]:
    found = {name: executable(name) for name in PROGRAMS}
    return [Application(name, name, path) for name, path in found.items() if path != f"/{name}"]


def _environment(desktop: Mapping[str, str], folder: Path) -> dict[str, str]:
    """The person's own desktop, but state and runtime in the trial's folder, and no keyring: what is deleted must be all there was."""
    state, runtime = folder / "state", folder / "run"
    for path in (state, runtime):
        path.mkdir(mode=0o700)
    return {**desktop, **dict(zip(_OURS, (str(state), str(runtime), "keyring.backends.fail.Keyring"), strict=True))}


def _in_this_terminal(calls: Calls, *arguments: str) -> None:
    subprocess.run(dying_with_us(argv("agent", arguments)), env=dict(calls.env), check=False)  # noqa: S603


def _command(folder: Path, env: Mapping[str, str]) -> Path:
    """A `volens` that speaks to the trial's agent, for other terminals."""
    settings = [f"{name}={shlex.quote(env[name])}" for name in _OURS]
    command = folder / "volens"
    command.touch(mode=0o700)
    command.write_text(f'#!/bin/sh\n{" ".join(settings)} exec {shlex.join(argv("agent", []))} "$@"\n', encoding="utf-8")
    return command


def _status(control: Path) -> Status | None:
    """What the trial's daemon says of itself; None if it does not answer."""
    with contextlib.suppress(NotRunning), Channel(control) as channel:
        match channel.ask(AskStatus()):
            case StatusIs(status):
                return status
    return None


def _wait_ready(control: Path) -> None:
    """Return when the daemon has a policy and a visible icon."""

    def ready() -> bool:
        status = _status(control)
        return status is not None and status.indicator.live and status.policy.version is not None

    try:
        until(ready, "the icon", poll_s=_LOOK_EVERY_S)
    except NotInTime:
        raise TrialImpossible(
            "the agent's icon could not be shown within 30 seconds", "look whether this desktop shows tray icons, or try: volens demo"
        ) from None


def _say(words: str) -> None:
    with contextlib.suppress(OSError):  # the terminal may have been closed, which is one way to end a trial
        sys.stdout.write(words)
        sys.stdout.flush()


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Ctrl-C, a closed terminal and SIGTERM end the trial once, and then nothing interrupts its tidying."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def end(*_: object) -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, end) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
