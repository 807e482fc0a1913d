"""`volens demo`: the whole main job against real input, on a screen of its own, in under two minutes; leaves nothing behind.

A private desktop with a panel, three custodians, a receiver on loopback, the real daemon and its icon. A person works before the
yes, after it, in a pause, and after the pause; what is kept is sent, opened by two custodians, and held against what was really
done. Everything that was written is searched for what was typed. Refuses to call itself well if any number does not fit.
"""

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from agent.demo.acts import ALLOWED, Acts, applications, canaries, open_applications
from agent.demo.calls import Calls
from agent.demo.canaries import Canary, Net, forms
from agent.demo.clock import wall_s
from agent.demo.errors import DemoError
from agent.demo.evidence import read_opened, read_received
from agent.demo.person import Person
from agent.demo.reconcile import Evidence
from agent.demo.report import Report
from agent.demo.search import Sweep
from agent.demo.stage import Stage, stage
from agent.demo.subject import Subject
from agent.demo.trial import CUSTODIANS, QUORUM, Trial, enrol, prepare, serve
from agent.demo.truth import Phase, Truth


def run(as_json: bool = False, keep: str | None = None) -> int:
    """Run the demo; returns the exit code: 0 only if everything reconciles and no canary was found.

    Raises:
        DemoError: It could not be staged, or did not come to its end.
    """
    report = Report(as_json)
    kept = Path(keep).absolute() if keep else None
    if kept is not None and kept.exists():
        raise DemoError(f"{kept} exists already", "name a new folder after --keep")
    report.begin()
    begun_s = wall_s()
    with _ended_by_signals(), ExitStack() as stack:
        with report.stage("a private screen with a window manager, a panel and a session bus"):
            desktop = stack.enter_context(stage(keep=kept))
        evidence, files = _perform(desktop, report, begun_s)
    return 0 if report.end(evidence, files) else 1


def _perform(desktop: Stage, report: Report, begun_s: float) -> tuple[Evidence, int]:
    typed = canaries()
    truth = Truth(phase=Phase.BEFORE)
    person = Person(desktop.display, truth)
    subject = Subject(desktop, Calls(desktop.env("volens")))
    with report.stage("two applications: a text editor, which is on the list, and a terminal, which is not"):
        acts = open_applications(desktop, person, typed)
    with report.stage("three custodians, a purpose key that two of them rebuild, and a receiver, all throw-away"):
        trial = _set_up(desktop, subject.calls)
    with report.stage("the agent and its icon; nobody has said yes, so nothing is recorded"):
        subject.start_agent()
        acts.before()
    _work(acts, subject, report)
    search = Sweep(desktop.root, desktop.children, subject.calls.outputs, Net(typed.values(), person.keycodes()), begun_s)
    with report.stage("everything on disk searched for what was typed, before anything leaves"):
        search.look()
    with report.stage("sent: sealed, uploaded, stored"):
        subject.send()
        status = subject.status()
    with report.stage("opened by two of three custodians"):
        _open(trial, subject.calls)
        opened, received = read_opened(trial.folder / "opened"), read_received(trial.receiver)
    with report.stage("everything on disk searched once more"):
        search.look()
    found = search.found
    return Evidence(truth, ALLOWED, status, received, opened, found.hits, found.unread, _blind(search.net, typed)), found.files


def _work(acts: Acts, subject: Subject, report: Report) -> None:
    truth = acts.person.truth
    with report.stage("a yes, by the real command, with the code that only the icon shows"):
        subject.consent()
        truth.phase = Phase.COLLECTING
    with report.stage("work in both applications, and a password in a sign-in dialog"):
        acts.write()
        acts.wander()
        acts.come_back()
        acts.sign_in()
        subject.settle(truth.raw(Phase.COLLECTING))
    with report.stage("a pause of 30 minutes, and more work meanwhile"):
        subject.pause()
        truth.phase = Phase.PAUSED
        acts.paused()
    with report.stage("resumed, and some more work"):
        subject.resume()
        truth.phase = Phase.COLLECTING
        acts.after()
        subject.settle(truth.raw(Phase.COLLECTING))


def _set_up(desktop: Stage, calls: Calls) -> Trial:
    trial = prepare(desktop.root / "trial", calls, applications())
    serve(trial, lambda argv, fds: desktop.children.start(argv, calls.env, name="receiver", pass_fds=fds))
    enrol(trial, Path(calls.env["XDG_STATE_HOME"]) / "volens")
    return trial


def _open(trial: Trial, calls: Calls) -> None:
    keys = [part for name in CUSTODIANS[:QUORUM] for part in ("--key", str(trial.keys / f"{name}.key"))]
    where = ["--purpose", str(trial.purpose), "--from", trial.url, "--reason", "the demo", "--steps", str(trial.folder / "opened")]
    calls.do("custody", "open", *where, *keys)


def _blind(net: Net, typed: dict[str, Canary]) -> int:
    """Forms of this run's canaries that the net lets through: planted here, in memory, to try the search itself."""
    return sum(1 for canary in typed.values() for form in forms(canary.text).values() if net.hits(form) == 0)


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """SIGTERM ends the demo as Control-C does: through the same tidying."""

    def end(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
