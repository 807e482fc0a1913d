"""Injected leaks and spins: what takes too much of the machine ends, says why, and what was permitted goes on afterwards."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from agent import child, effort, messages
from agent.budget import Level
from agent.daemon import Daemon
from agent.effort import Costs
from agent.permission import words
from agent.report import Alive, report
from agent.status import Status
from agent.watchdog import Watchdog
from consent.standing import Standing
from consent.vocabulary import Blocker, State
from tests.agent.test_daemon import Clock, Icon, a_day_in
from tests.commands import ROOT

STAND_IN = f"""
import sys, time
sys.path.insert(0, {str(ROOT)!r})
from collectors import pipe
from consent.frames import Splitter, frame
manner, up = sys.argv[1], open(int(sys.argv[-1]), "wb", buffering=0)
splitter, bodies = Splitter(), []
while not bodies:
    bodies = splitter.feed(sys.stdin.buffer.raw.read(65536))
grant = pipe.decode_down(bodies[0])
if manner == "grows":
    much = b"x" * 160_000_000
while manner == "spins" and time.process_time() < 1.5:
    pass
up.write(frame(pipe.encode(pipe.Hooked(grant.generation, tuple(pipe.CollectorState(kind, "live") for kind in sorted(grant.kinds))))))
sys.stdin.buffer.raw.read()
"""
"""In the place of the observer: hooks nothing, says that it does, and takes what its manner says before."""


class Answering(Icon):
    """An icon that shows what it is told to, and answers at once."""

    def __init__(self, daemon: Daemon) -> None:
        super().__init__()
        self._daemon, self._showing = daemon, State.UNASKED

    def say(self, answer: messages.Answer) -> None:
        super().say(answer)
        match answer:
            case messages.Appear(state):
                self._showing = state
            case messages.Challenge(nonce):
                proven = messages.Proven(nonce, "one", True, self._showing)
                asyncio.get_running_loop().call_soon(self._daemon.indicator.answered, self, proven)


class Scene:
    """A daemon that collects with stand-ins for its observer, one after the other, and a clock that the test moves."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock("2026-11-20T10:00:00Z")
        self.daemon = a_day_in(folder, self.clock)
        self.hooked = asyncio.Event()
        self.daemon.moved.append(self._moved)
        self.daemon.indicator.attach(Answering(self.daemon), messages.Attach("one", "tray"))  # type: ignore[arg-type]

    def _moved(self) -> None:
        (self.hooked.set if self.daemon.collecting else self.hooked.clear)()

    async def collects(self) -> Standing:
        async with asyncio.timeout(20):
            await self.hooked.wait()
        return self.daemon.standing

    async def pass_minutes(self, minutes: float) -> None:
        """Time passes after everything that is under way has been answered."""
        for _ in range(5):
            await asyncio.sleep(0)
        self.clock.pass_minutes(minutes)

    def status(self) -> Status:
        daemon = self.daemon
        budget, percent = daemon.budget.judged, daemon.budget.cpu_percent
        alive = Alive(
            daemon.standing, daemon.collecting, daemon.policy, daemon.indicator.proof, daemon.collectors, budget=budget, cpu_percent=percent
        )
        return report(daemon.subject, self.clock(), alive)


def played(folder: Path, monkeypatch: pytest.MonkeyPatch, manners: list[str], play: Callable[[Scene], Awaitable[None]]) -> None:
    """Play it with observers of these manners."""
    monkeypatch.setattr(child, "command", lambda _, *more: [sys.executable, "-I", "-c", STAND_IN, manners.pop(0), *more])

    async def run() -> None:
        scene = Scene(folder)
        try:
            await play(scene)
        finally:
            scene.daemon.close()

    asyncio.run(run())


def same_permission(one: Standing, other: Standing) -> bool:
    return (one.state, one.scope, one.blockers) == (other.state, other.scope, other.blockers)


def test_an_observer_that_leaks_is_started_anew_and_capture_goes_on_in_the_same_standing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """P03: one that has grown beyond the bound is another process after the next look, of a new generation of the same permission."""

    async def play(scene: Scene) -> None:
        before = await scene.collects()
        pid = scene.daemon.observer_pid
        dog = Watchdog(scene.daemon, scene.clock)
        assert scene.daemon.observer_pid not in (None, pid)
        after = await scene.collects()
        assert same_permission(before, after)
        assert after.generation > before.generation
        await scene.pass_minutes(1)
        dog.look()
        assert scene.daemon.standing is after, "the new one is of the usual size, and is left alone"

    played(tmp_path, monkeypatch, ["grows", "quiet"], play)
    assert capsys.readouterr().err.count("a child took more than 150 MB") == 1


def test_an_observer_that_spins_is_ended_for_a_while_and_then_it_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """P03: blocked, with the reason in the status; after five minutes hooks again, under the same permission. Of real processes."""
    monkeypatch.setattr(effort, "WINDOW_S", 10)  # a second and a half is more than a tenth of it

    async def play(scene: Scene) -> None:
        dog = Watchdog(scene.daemon, scene.clock)
        before = await scene.collects()
        await scene.pass_minutes(1 / 6)
        dog.look()
        assert (scene.daemon.standing.blockers, scene.daemon.observer_pid) == ((Blocker.OVER_BUDGET,), None)
        assert "more of this computer than it may" in words(scene.daemon.standing)
        status = scene.status()
        assert (status.why, status.budget.level, (status.budget.cpu_percent or 0) > 10) == (("over_budget",), Level.NOTHING, True)
        await scene.pass_minutes(4)
        dog.look()
        assert scene.daemon.observer_pid is None, "not before its time"
        await scene.pass_minutes(1)
        dog.look()
        assert same_permission(before, await scene.collects())
        assert scene.status().budget.level is Level.FULL

    played(tmp_path, monkeypatch, ["spins", "quiet"], play)


class Meter:
    """Costs that a test says."""

    def __init__(self) -> None:
        self.cpu_ms = 0
        self.children: dict[int, int] = {}

    def __call__(self) -> Costs:
        return Costs(self.cpu_ms, self.children)


def test_above_the_ceiling_there_is_less_and_far_above_it_a_rest_that_grows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """6 % of one core for minutes: less, and no rest. 60 %: rests of 5, 10 and 20 minutes, one after the other."""

    async def play(scene: Scene) -> None:
        meter = Meter()
        dog = Watchdog(scene.daemon, scene.clock, meter)
        levels, rested = [], []
        for percent in (*[6] * 6, *[60] * 60):
            await scene.pass_minutes(1)
            blocked = Blocker.OVER_BUDGET in scene.daemon.standing.blockers
            meter.cpu_ms += 0 if blocked else percent * 600
            dog.look()
            levels.append(scene.daemon.budget.judged.level)
            rested.append(Blocker.OVER_BUDGET in scene.daemon.standing.blockers)
        assert levels[3:6] == [Level.FULL, Level.LESS, Level.LESS]
        assert not any(rested[:6])
        runs = "".join("x" if each else "." for each in rested).split(".")
        assert [len(run) for run in runs if run][:3] == [5, 10, 20]

    played(tmp_path, monkeypatch, ["quiet"] * 9, play)


def test_a_leak_that_comes_back_again_and_again_ends_in_a_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three times within the hour it is started anew; the fourth time nothing is observed for a while."""

    async def play(scene: Scene) -> None:
        meter = Meter()
        dog = Watchdog(scene.daemon, scene.clock, meter)
        pids = []
        for _ in range(4):
            await scene.collects()
            pids.append(scene.daemon.observer_pid)
            meter.children = {pids[-1] or 0: effort.CHILD_BYTES + 1}
            await scene.pass_minutes(1)
            dog.look()
        assert len(set(pids)) == 4
        assert scene.daemon.standing.blockers == (Blocker.OVER_BUDGET,)

    played(tmp_path, monkeypatch, ["quiet"] * 4, play)


def rested(scene: Scene) -> bool:
    return Blocker.OVER_BUDGET in scene.daemon.standing.blockers


def test_after_a_resume_in_a_rest_a_leak_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Four leaks, a rest, `resume`, and the next one leaks as well: it is gone at the next look, and what is said of it is true."""

    async def play(scene: Scene) -> None:
        meter = Meter()
        dog = Watchdog(scene.daemon, scene.clock, meter)
        for _ in range(4):
            await scene.collects()
            meter.children = {scene.daemon.observer_pid or 0: effort.CHILD_BYTES + 1}
            await scene.pass_minutes(1)
            dog.look()
        assert rested(scene)
        scene.daemon.unblock()
        await scene.collects()
        meter.children = {scene.daemon.observer_pid or 0: 2 * 10**9}
        await scene.pass_minutes(1)
        dog.look()
        assert (rested(scene), scene.daemon.observer_pid) == (True, None)
        assert capsys.readouterr().err.count("and was ended") == 5
        meter.children = {}
        await scene.pass_minutes(9)
        dog.look()
        assert rested(scene), "the second rest of a row lasts ten minutes"
        await scene.pass_minutes(1)
        dog.look()
        assert not rested(scene)

    played(tmp_path, monkeypatch, ["quiet"] * 6, play)


def test_after_a_resume_in_a_rest_a_spin_is_seen_and_quiet_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What spun before the resume is no reason for a rest after it; what spins then is one within two minutes."""

    async def play(scene: Scene) -> None:
        meter = Meter()
        dog = Watchdog(scene.daemon, scene.clock, meter)

        async def minute(percent: int) -> bool:
            await scene.pass_minutes(1)
            meter.cpu_ms += percent * 600
            dog.look()
            return rested(scene)

        assert await minute(100)
        scene.daemon.unblock()
        assert not await minute(0)
        assert True in [await minute(100) for _ in range(2)]

    played(tmp_path, monkeypatch, ["quiet"] * 4, play)


def test_another_child_that_leaks_is_ended_and_the_observer_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An icon or a courier: whoever keeps it starts the next."""

    async def play(scene: Scene) -> None:
        before = await scene.collects()
        other = await asyncio.create_subprocess_exec(sys.executable, "-I", "-c", "import time; time.sleep(60)")
        meter = Meter()
        meter.children = {other.pid: effort.CHILD_BYTES + 1}
        Watchdog(scene.daemon, scene.clock, meter)
        assert await other.wait() < 0
        assert scene.daemon.standing is before

    played(tmp_path, monkeypatch, ["quiet"], play)
