"""A child that fails is started again, later each time; a crash loop ends in `blocked`, with its reason, until a person says so."""

import os
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import agent.carrier
import agent.daemon
from agent import doctor, messages, retrying, show
from agent.carrier import Carrier
from agent.daemon import Daemon
from agent.permission import words
from agent.policies import InForce
from agent.report import Alive, report
from agent.restarts import PAUSES_S, WINDOW_MS, Restarts
from agent.retrying import LOOK_S, SELDOM_S
from agent.status import Status
from collectors import pipe
from consent.vocabulary import Blocker, Kind, State
from tests.agent.people import POLICY, say_yes, subject_in
from tests.consent_holds.children import Observer
from tests.consent_holds.clock import Loop, Time
from tests.register import REGISTER
from transport import jobs

WHY = "the hook is deaf: it was switched off in the X server"


# --- the judge ---------------------------------------------------------------------------------------------------


@given(gaps_ms=st.lists(st.integers(0, WINDOW_MS), min_size=1, max_size=50))
def test_more_failures_within_the_window_than_there_are_pauses_are_a_crash_loop(gaps_ms: list[int]) -> None:
    """And no fewer: whatever came before the window is forgotten, and however many there are, no more is remembered than matters."""
    restarts, now_ms, instants_ms = Restarts(), 0, []
    for gap_ms in gaps_ms:
        now_ms += gap_ms
        instants_ms.append(now_ms)
        restarts = restarts.failed(now_ms)
        recent = sum(now_ms - at < WINDOW_MS for at in instants_ms)
        assert restarts.pause_s() == (PAUSES_S[recent - 1] if recent <= len(PAUSES_S) else None)
        assert len(restarts.failures_ms) <= len(PAUSES_S) + 1


def test_before_any_failure_nothing_waits() -> None:
    """The first start is at once."""
    assert Restarts().pause_s() == 0


# --- the observer ------------------------------------------------------------------------------------------------


class Icon:
    """An honest icon, which answers at once."""

    def __init__(self, machine: "Machine") -> None:
        self._machine, self._shows = machine, State.UNASKED

    def say(self, answer: messages.Answer) -> None:
        if isinstance(answer, messages.Appear):
            self._shows = answer.state
        elif isinstance(answer, messages.Challenge):
            proven = messages.Proven(answer.nonce, "one", True, self._shows)
            self._machine.loop.call_soon(self._machine.daemon.indicator.answered, self, proven)

    def close(self) -> None:
        """Nothing to close."""


class Machine:
    """A daemon with an icon and fake children, whose time passes when it is told to."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.time = Time()
        self.loop = Loop(self.time)
        self.observers: list[Observer] = []
        patch.setattr(agent.daemon, "Child", self._child)
        self.subject = subject_in(folder, self.time.read())
        say_yes(self.subject, self.time.read())
        self.daemon = Daemon(self.subject, REGISTER, self.time.read, self.loop)
        self.daemon.take(InForce(POLICY, datetime(2100, 1, 1, tzinfo=UTC), verified=self.time.read()))
        self.attach()

    def attach(self) -> None:
        """The icon is there."""
        self.daemon.indicator.attach(Icon(self), messages.Attach("one", "tray"))  # type: ignore[arg-type]
        self.loop.settle()

    def _child(self, _: str, __: object, heard: Callable[[bytes], None], ended: Callable[[], None]) -> Observer:
        self.observers.append(Observer(heard, ended))
        return self.observers[-1]

    @property
    def living(self) -> Observer | None:
        return next((one for one in self.observers if one.alive), None)

    def hook(self) -> Observer:
        """The living observer says that its hooks are in place, and one thing that it saw."""
        one = self.living
        assert one is not None
        assert one.grant is not None
        one.speak(pipe.Hooked(one.grant.generation, (pipe.CollectorState(Kind.FOCUS, "live"),)))
        one.speak(pipe.Observed(one.grant.generation, 0, (), {}))
        return one

    def fail(self, blocker: Blocker = Blocker.OBSERVER_FAILING, why: str = WHY) -> None:
        """It says something good, and then that it cannot go on."""
        one = self.hook()
        assert one.grant is not None
        one.speak(pipe.Failed(one.grant.generation, blocker.value, why))
        self.loop.settle()

    def later(self, seconds: float) -> None:
        self.time.pass_ms(int(seconds * 1000))
        self.loop.settle()

    def end(self) -> None:
        self.daemon.close()
        self.loop.end()
        self.subject.close()


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    monkeypatch.delenv("DISPLAY", raising=False)
    made = Machine(tmp_path, monkeypatch)
    yield made
    made.end()


def test_a_deaf_hook_is_shown_as_dead_with_its_reason_and_a_new_generation_gets_a_new_one(machine: Machine) -> None:
    """Blocked at once, each collector dead, why in words; after the pause another generation, and with its hooks all is well."""
    before = machine.daemon.standing.generation
    machine.fail()
    daemon = machine.daemon
    assert (daemon.standing.state, daemon.standing.blockers) == (State.BLOCKED, (Blocker.OBSERVER_FAILING,))
    assert {one.state for one in daemon.health()} == {"dead"}
    assert {one.kind for one in daemon.health()} == set(daemon.standing.scope.kinds())
    assert all(WHY in one.why and "started again" in one.why for one in daemon.health())
    assert WHY in words(daemon.standing, trouble=daemon.trouble)
    assert machine.living is None
    machine.later(PAUSES_S[0])
    machine.hook()
    assert daemon.standing.generation > before
    assert [one.state for one in daemon.health()] == ["live"]
    assert daemon.retrying.why == ""


def test_a_crash_loop_ends_in_blocked_although_something_was_said_before_each_crash(machine: Machine) -> None:
    """Its pauses grow; after the last nothing is started any more, for as long as nobody asks; a resume begins anew."""
    for pause_s in PAUSES_S:
        machine.fail()
        machine.later(pause_s - 0.1)
        assert machine.living is None
        machine.later(0.1)
    machine.fail()
    machine.later(60)
    assert machine.living is None
    assert len(machine.observers) == len(PAUSES_S) + 1
    assert machine.daemon.standing.blockers == (Blocker.OBSERVER_FAILING,)
    assert "not started again" in machine.daemon.retrying.why
    assert "volens resume" in machine.daemon.health()[0].why
    machine.daemon.unblock()
    machine.loop.settle()
    assert machine.living is not None
    machine.fail()
    machine.later(PAUSES_S[0])
    assert machine.living is not None


def test_failures_that_lie_far_apart_are_no_crash_loop(machine: Machine) -> None:
    """One in three minutes, all day: started again each time."""
    for _ in range(20):
        machine.fail()
        machine.later(180)
        assert machine.living is not None


@pytest.mark.parametrize("how", ["dies", "says nonsense"])
def test_an_observer_that_ends_without_a_word_or_with_a_wrong_one_has_a_reason_too(machine: Machine, how: str) -> None:
    """By which signal, or that it is not understood."""
    one = machine.hook()
    if how == "dies":
        one.die()
    else:
        one._heard(b"\xc1")
    machine.loop.settle()
    assert ("by signal 9" in machine.daemon.retrying.why) is (how == "dies")
    assert machine.daemon.standing.blockers == (Blocker.OBSERVER_FAILING,)


def test_what_cannot_be_observed_is_not_tried_again(machine: Machine) -> None:
    """A session stays what it is."""
    machine.fail(Blocker.NOT_OBSERVABLE, "this is a Wayland session")
    machine.later(3600)
    assert (machine.living, machine.daemon.standing.blockers) == (None, (Blocker.NOT_OBSERVABLE,))


def test_a_display_that_is_gone_is_waited_for_and_is_no_crash_loop(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long: no child is started before it takes connections. Then at once, and the icon's keeper is told."""
    absent, returned = [True], []
    monkeypatch.setattr(retrying, "gone", lambda _: absent[0])
    machine.daemon.retrying.returned = lambda: returned.append(machine.time.awake_ms)
    machine.fail(Blocker.DISPLAY_GONE, "the X server ended")
    machine.later(0.5)
    for _ in range(50):
        machine.later(LOOK_S)
    assert (len(machine.observers), machine.daemon.standing.blockers) == (1, (Blocker.DISPLAY_GONE,))
    absent[0] = False
    machine.later(LOOK_S)
    assert machine.living is not None
    assert len(returned) == 1
    for _ in range(20):  # it takes connections and ends them
        machine.fail(Blocker.DISPLAY_GONE, "the X server ended")
        machine.later(SELDOM_S)
        assert machine.living is not None


def test_an_icon_that_goes_with_its_display_does_not_hide_that_the_display_is_gone(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its connection breaks first, which ends the observer before that can tell: the daemon looks for itself."""
    machine.hook()
    monkeypatch.setattr(retrying, "gone", lambda _: True)
    machine.daemon.indicator.lose()
    assert set(machine.daemon.standing.blockers) == {Blocker.DISPLAY_GONE, Blocker.NO_INDICATOR}
    monkeypatch.setattr(retrying, "gone", lambda _: False)
    machine.later(1)
    assert set(machine.daemon.standing.blockers) == {Blocker.NO_INDICATOR}
    assert (machine.daemon.trouble, machine.daemon.health()) == ("", ())
    machine.attach()
    assert machine.living is not None


def test_a_display_is_gone_if_nobody_takes_connections_there(tmp_path: Path) -> None:
    """One that is not named, or is elsewhere, is not known to be gone."""
    number = 40_000 + os.getpid() % 20_000
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"\0/tmp/.X11-unix/X{number}")
        assert retrying.gone({"DISPLAY": f":{number}"})
        server.listen()
        assert not retrying.gone({"DISPLAY": f":{number}.0"})
    assert retrying.gone({"DISPLAY": f":{number}"})
    assert not any(retrying.gone(env) for env in ({}, {"DISPLAY": "nonsense"}, {"DISPLAY": "elsewhere.example:0"}))


def found_kinds(found: Status) -> set[Kind]:
    return {part.kind for part in found.collectors}


def test_what_ails_the_observer_is_one_line_of_the_status_and_one_of_doctor(machine: Machine) -> None:
    """Not one for each kind; and doctor does not call it a silent accessibility tree."""
    machine.fail()
    daemon = machine.daemon
    alive = Alive(daemon.standing, daemon.collecting, daemon.policy, daemon.indicator.proof, daemon.health(), trouble=daemon.trouble)
    found = report(machine.subject, machine.time.read(), alive)
    assert (found.standing, found.why, found.collecting) == (State.BLOCKED, ("observer_failing",), False)
    assert WHY in found.words
    lines = [line.plain for line in show.status_lines(found, 400)]
    assert len([line for line in lines if "dead: the hook is deaf" in line]) == 1
    assert not any(kind.value in line for line in lines for kind in found_kinds(found))
    ground = doctor.Ground(machine.subject.places, None, found, {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/nowhere"})
    checks = {check.name: check for look in doctor.CHECKS[-7:] for check in look(ground)}
    assert (checks["observer"].words, checks["observer"].do) == (WHY, "it is started again")
    assert checks["fields"].level is doctor.Level.OK
    assert not {"windows", *(kind.value for kind in found_kinds(found))} & set(checks)


def test_of_a_crash_loop_doctor_says_what_status_says(machine: Machine) -> None:
    """That it is not started again, and what to do; and nothing of a dead observer answers."""
    for _ in range(len(PAUSES_S) + 1):
        machine.daemon._failed(Blocker.OBSERVER_FAILING, WHY)
    daemon = machine.daemon
    alive = Alive(daemon.standing, daemon.collecting, daemon.policy, daemon.indicator.proof, daemon.health(), trouble=daemon.trouble)
    found = report(machine.subject, machine.time.read(), alive)
    ground = doctor.Ground(machine.subject.places, None, found, {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/nowhere"})
    (check,) = doctor._observer(ground)
    assert f"{check.words}; {check.do}" in found.words
    assert check.words.endswith("is not started again")
    assert check.do == "try: volens resume"
    assert not any("answers" in each.words for each in doctor._roles(ground))


# --- the courier -------------------------------------------------------------------------------------------------


class Dying:
    """A courier that ends as soon as it gets a job."""

    started = 0

    def __init__(self, _: str, loop: Loop, __: object, ended: Callable[[], None], ___: object) -> None:
        self._loop, self._ended = loop, ended
        Dying.started += 1

    def say(self, _: bytes) -> None:
        self._loop.call_soon(self._ended)

    def kill(self) -> None:
        """It is dead."""


def test_a_courier_in_a_crash_loop_is_left_alone_for_ten_minutes_and_its_jobs_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each job fails with an unknown outcome, later each time; then without a start, which `status` says; then it is tried again."""
    monkeypatch.setattr(agent.carrier, "Child", Dying)
    Dying.started = 0
    time = Time()
    loop = Loop(time)
    carrier = Carrier(loop, None)

    def fail() -> bool:
        job = jobs.Request(carrier.next(), jobs.Method.GET, "http://127.0.0.1:1/", "", 0, 10)
        task = loop.create_task(carrier.carry(job))
        loop.settle()
        done = task.done()
        time.pass_ms(8_000)
        loop.settle()
        assert task.result() == jobs.Failed(job.job, jobs.Trouble.BROKEN_OFF, True)
        return done

    assert [fail() for _ in range(len(PAUSES_S) + 1)] == [True, *([True] * len(PAUSES_S))]
    assert Dying.started == len(PAUSES_S) + 1
    assert carrier.failing is not None
    assert "courier" in carrier.failing
    assert fail()
    assert Dying.started == len(PAUSES_S) + 1
    time.pass_ms(WINDOW_MS)
    assert carrier.failing is None
    fail()
    assert Dying.started == len(PAUSES_S) + 2
    loop.end()


def test_a_job_that_waits_for_a_failed_courier_can_be_aborted(monkeypatch: pytest.MonkeyPatch) -> None:
    """When its permission ends it is over at once, and no courier is started for it afterwards."""
    monkeypatch.setattr(agent.carrier, "Child", Dying)
    Dying.started = 0
    time = Time()
    loop = Loop(time)
    carrier = Carrier(loop, None)
    job = jobs.Request(1, jobs.Method.GET, "http://127.0.0.1:1/", "", 0, 10)
    loop.create_task(carrier.carry(job))
    loop.settle()
    waiting = loop.create_task(carrier.carry(job))
    loop.settle()
    carrier.abort()
    time.pass_ms(10_000)
    loop.settle()
    assert isinstance(waiting.result(), jobs.Failed)
    assert Dying.started == 1
    loop.end()
