"""Over budget in the daemon: less is observed, nothing leaves, status and icon say so, the ledger tells of it, and nothing is widened."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent import budget, choosing, messages, permission, report
from agent.budget import Cause, Level
from agent.chronicle import STOOD
from agent.daemon import Daemon
from agent.errors import CannotDo
from agent.policies import InForce
from agent.registering import Registering
from agent.report import Alive
from agent.settings import Settings
from agent.show import status_lines
from agent.status import CollectorPart, Status
from agent.subject import Subject
from agent.uploading import NO_ROOM, TOO_LARGE, Uploading
from consent.event import Event, KeyChord, Modifier
from consent.gate import Admitted, decide
from consent.history import LINK_UNKNOWN_CHOSEN
from consent.vocabulary import Automatic, Blocker, Kind, State, SurfaceId
from tests.agent.people import BOOT, POLICY, at, clicks, keep, recording, say_yes, subject_in
from tests.agent.test_daemon import Clock, a_day_in
from tests.agent.test_watchdog import Answering
from tests.register import REGISTER
from transport.allowance import DAY_BYTES, MONTH_BYTES
from transport.span import Everything

CHORDS, CLICKS = Kind.KEY_CHORD, Kind.POINTER_BUTTON


class Watched(Daemon):
    """A daemon whose observer is nobody: what would have been started is written down."""

    def __init__(self, *args: object) -> None:
        self.granted: list[frozenset[Kind]] = []
        super().__init__(*args)  # type: ignore[arg-type]
        self.icon = Answering(self)

    def _start_observer(self) -> None:
        self.granted.append(self.standing.scope.kinds())


def somebody(folder: Path, now: Callable[[], object] = lambda: at(3), settings: Settings | None = None) -> Watched:
    """Consented, an icon that answers, a policy in force."""
    subject = subject_in(folder)
    if settings is not None:
        subject.settings = settings
    say_yes(subject, at(0))
    daemon = Watched(subject, REGISTER, now, asyncio.get_running_loop())
    daemon.take(InForce(POLICY, datetime(2100, 1, 1, tzinfo=UTC), verified=at(0)))
    daemon.indicator.attach(daemon.icon, messages.Attach("one", "tray"))  # type: ignore[arg-type]
    return daemon


async def answered() -> None:
    """Until what is under way between icon and daemon has come to rest."""
    for _ in range(10):
        await asyncio.sleep(0)


def status(daemon: Daemon) -> Status:
    """As the daemon would report it."""
    judged, percent = daemon.budget.judged, daemon.budget.cpu_percent
    alive = Alive(daemon.standing, True, daemon.policy, daemon.indicator.proof, (), budget=judged, cpu_percent=percent)
    return report.report(daemon.subject, at(3), alive)


@pytest.fixture
def chords_cost_most(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sample policy has no paths of the pointer; here its chords are what costs most."""
    monkeypatch.setattr(budget, "COSTLY", frozenset({CHORDS}))
    monkeypatch.setattr(report, "COSTLY", frozenset({CHORDS}))


def run(work: Callable[[], Awaitable[None]]) -> None:
    async def within() -> None:
        await work()

    asyncio.run(within())


def test_what_costs_most_is_what_the_design_says() -> None:
    """Paths of the pointer; frames when they exist."""
    assert {Kind.POINTER_PATH} == budget.COSTLY


@pytest.mark.usefixtures("chords_cost_most")
def test_less_is_a_narrower_grant_that_status_tells_and_that_ends(tmp_path: Path) -> None:
    """The battery below 40 %: another generation without the costly kind, never with more; `off: over budget`; and back by itself."""

    async def work() -> None:
        daemon = somebody(tmp_path)
        await answered()
        full = daemon.standing
        assert status(daemon).budget.level is Level.FULL
        daemon.budget.sparing = frozenset({Cause.BATTERY_GOING})
        daemon.reconsider()
        await answered()
        less = daemon.standing
        assert (less.state, less.open, less.generation > full.generation) == (State.CONSENTED, True, True)
        assert full.scope.kinds() - less.scope.kinds() == {CHORDS}
        assert daemon.granted[-1] == less.scope.kinds()
        assert not less.scope.without(full.scope).grants
        told = status(daemon)
        assert (told.budget.level, told.budget.why) == (Level.LESS, (Cause.BATTERY_GOING,))
        assert CollectorPart(CHORDS, "off", "over budget") in told.collectors
        lines = [line.plain for line in status_lines(told, 200)]
        assert "budget      Less is recorded, because the battery is below 40 %." in lines
        assert "collector   key_chord: off over budget" in lines
        daemon.budget.sparing = frozenset()
        daemon.reconsider()
        await answered()
        assert permission.same(daemon.standing, full)

    run(work)


@pytest.mark.usefixtures("chords_cost_most")
def test_what_was_kept_before_there_was_less_is_still_sealed(tmp_path: Path) -> None:
    """Less is about what is observed: of what is held nothing is refused for it."""

    async def work() -> None:
        daemon = somebody(tmp_path)
        subject, loop = daemon.subject, asyncio.get_running_loop()
        await answered()
        chord = Event(SurfaceId("editor"), 1, at(1), 1, 2, KeyChord((Modifier.CTRL,), "c"))
        keep(subject, [one for one in [decide(chord, recording())] if isinstance(one, Admitted)], at(1))
        daemon.budget.sparing = frozenset({Cause.BATTERY_GOING})
        daemon.reconsider()
        await answered()
        assert CHORDS not in daemon.standing.scope.kinds()
        uploading = Uploading(daemon, Registering(daemon, subject.places, lambda: at(3), loop), subject.places, lambda: at(3), loop)
        sealed = uploading._seal(Everything())
        assert (sealed.envelopes, sealed.n, sealed.refused) == (1, 2, {})

    run(work)


def test_where_less_would_be_nothing_it_is_blocked_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who agreed to what costs most and to nothing else."""
    monkeypatch.setattr(budget, "COSTLY", frozenset(Kind))

    async def work() -> None:
        daemon = somebody(tmp_path)
        await answered()
        daemon.budget.sparing = frozenset({Cause.BATTERY_GOING})
        daemon.reconsider()
        assert daemon.standing.blockers == (Blocker.OVER_BUDGET,)
        assert "more of this computer than it may" in permission.words(daemon.standing)
        said = "Blocked: it would take more of this computer than it may (the battery is below 40 %). Nothing is recorded."
        assert status(daemon).words == said
        assert [each.words for each in daemon.icon.heard if isinstance(each, messages.Appear)][-1] == said

    run(work)


def test_a_spent_day_keeps_everything_here_and_says_why(tmp_path: Path) -> None:
    """Nothing is sealed, nothing is begun, `send` is told why; what is admitted is held; the next day it goes on."""

    async def work() -> None:
        now = [at(3)]
        daemon = somebody(tmp_path, lambda: now[0])
        subject, places = daemon.subject, daemon.subject.places
        keep(subject, clicks(1), at(1))
        registering = Registering(daemon, places, lambda: now[0], asyncio.get_running_loop())
        uploading = Uploading(daemon, registering, places, lambda: now[0], asyncio.get_running_loop())
        subject.spend(DAY_BYTES, at(2))
        daemon.reconsider()
        await answered()
        assert daemon.standing.open
        assert uploading._seal(Everything()).envelopes == 0
        assert uploading.waits == "what may be sent today is sent; it goes on tomorrow (UTC)"
        with pytest.raises(CannotDo, match="what may be sent today is sent"):
            await uploading.send_now(Everything())
        assert await uploading._send() > 0
        assert (subject.hold.stats().events, subject.outbox.stats().envelopes) == (1, 0)
        told = status(daemon)
        assert (told.budget.level, told.budget.why) == (Level.HOLD_ONLY, (Cause.DAY_SPENT,))
        assert told.budget.words == "Less is recorded, and nothing is sent, because what may be sent today is sent."
        now[0] = at(24 * 60 + 3)
        daemon.policy = InForce(POLICY, datetime(2100, 1, 1, tzinfo=UTC), verified=now[0])
        daemon.reconsider()
        await answered()
        assert daemon.budget.judged.level is Level.FULL
        assert uploading._seal(Everything()).envelopes == 1

    run(work)


def test_hold_only_begins_no_upload_whatever_room_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is sealed already waits like what is held; without that level it is begun."""
    begun = []

    async def upload(uploading: Uploading, *_: object) -> None:
        begun.append(uploading)
        raise TimeoutError

    monkeypatch.setattr(Uploading, "_upload", upload)

    async def work() -> None:
        daemon = somebody(tmp_path, settings=Settings("http://127.0.0.1:9", trial=True))
        subject, loop = daemon.subject, asyncio.get_running_loop()
        keep(subject, clicks(1), at(1))
        uploading = Uploading(daemon, Registering(daemon, subject.places, lambda: at(3), loop), subject.places, lambda: at(3), loop)
        await answered()
        assert uploading._seal(Everything()).envelopes == 1
        monkeypatch.setattr(daemon, "reconsider", lambda: None)
        daemon.budget.judged = budget.Judged(Level.HOLD_ONLY, (Cause.MONTH_SPENT,))
        await uploading._send()
        assert not begun
        daemon.budget.judged = budget.FULL
        with pytest.raises(TimeoutError):
            await uploading._send()
        assert begun

    run(work)


def test_an_envelope_that_does_not_fit_into_what_is_left_is_told(tmp_path: Path) -> None:
    """Some room is left, and too little: nothing is silent about it."""

    async def work() -> None:
        daemon = somebody(tmp_path, settings=Settings("http://127.0.0.1:9", trial=True))
        subject, places = daemon.subject, daemon.subject.places
        keep(subject, clicks(1), at(1))
        loop = asyncio.get_running_loop()
        uploading = Uploading(daemon, Registering(daemon, places, lambda: at(3), loop), places, lambda: at(3), loop)
        await answered()
        assert uploading._seal(Everything()).envelopes == 1
        subject.spend(DAY_BYTES - 100, at(2))
        await uploading._send()
        assert uploading.waits == NO_ROOM
        subject.settings = Settings("http://127.0.0.1:9", trial=True, bytes_a_month=1000)  # as if so much waited in one envelope
        await uploading._send()
        assert uploading.waits == TOO_LARGE, "no tomorrow is promised"
        assert subject.outbox.stats().envelopes == 1

    run(work)


def test_the_ledger_tells_when_the_budget_exempts_and_when_no_more(tmp_path: Path) -> None:
    """Metered, then not; low battery, then not: a line each, in which a lock in between has no part."""

    async def work() -> None:
        daemon = somebody(tmp_path)
        await answered()
        for ground in (Automatic.METERED_LINK, Automatic.LOCKED, Automatic.BATTERY_LOW):
            for holds in (True, False):
                daemon.exempt(ground, holds=holds)
                await answered()
        lines = [entry.data for entry in daemon.subject.record.entries if entry.what == STOOD]
        told = [(line["state"], line.get("budget"), line.get("over")) for line in lines if line["state"] != State.BLOCKED.value]
        exempt, full = State.EXEMPT.value, (State.CONSENTED.value, None, None)
        assert [each for each in told if each[0] == exempt] == [
            (exempt, "nothing", ["metered_link"]),
            (exempt, None, None),
            (exempt, "nothing", ["battery_low"]),
        ]
        assert told[-1] == full

    run(work)


def test_the_icon_says_when_there_is_less(tmp_path: Path) -> None:
    """Its line is the reason, as long as there is one; also where what is observed stays the same."""

    async def work() -> None:
        daemon = somebody(tmp_path)
        await answered()
        said = []
        for cpu_percent in (7.0, 1.0):
            daemon.budget.cpu_percent = cpu_percent
            daemon.reconsider()
            said.append([each.words for each in daemon.icon.heard if isinstance(each, messages.Appear)][-1])
        lines = [entry.data for entry in daemon.subject.record.entries if entry.what == STOOD]
        assert [line.get("over") for line in lines[-2:]] == [["processor_busy"], None]
        assert said == [
            "Less is recorded, because Volens itself takes too much of the processor.",
            "On: only windows on the list are recorded.",
        ]

    run(work)


def test_only_who_chose_it_is_exempt_on_an_unknown_link_and_it_is_in_the_ledger(tmp_path: Path) -> None:
    """Not chosen: it counts as not metered, if nothing told otherwise. Chosen: as metered. Taken back: as not metered. A restart knows."""

    async def work() -> None:
        clock = Clock("2026-11-20T10:00:00Z")
        daemon = a_day_in(tmp_path, clock)
        daemon.exempt(Automatic.LINK_UNKNOWN, holds=True)
        found = [daemon.standing.because]
        for exempt in (True, False, True):
            said = choosing.choose_ground(daemon.subject, messages.ChooseUnknownLink(exempt), clock())
            assert ("not exempt" in said) is not exempt
            daemon.reconsider()
            found.append(daemon.standing.because)
        assert found == [(), (Automatic.LINK_UNKNOWN,), (), (Automatic.LINK_UNKNOWN,)]
        assert daemon.budget.judged.why == (Cause.LINK_UNKNOWN,)
        assert [entry.data for entry in daemon.subject.record.entries if entry.what == LINK_UNKNOWN_CHOSEN][-1] == {"exempt": True}
        daemon.subject.close()
        assert subject_in(tmp_path, clock()).record.choice.link_unknown

    run(work)


# --- bytes ---------------------------------------------------------------------------------------------------------


def test_a_months_bytes_survive_restarts_and_no_clock_gives_more(tmp_path: Path) -> None:
    """INV-5 in spirit: set forward a month or back a month, restarted or not, there is no more room than before."""
    subject = subject_in(tmp_path)
    for _ in range(2):
        subject.spend(MONTH_BYTES // 2, at(1))
        subject.close()
        subject = subject_in(tmp_path, at(2))
    assert (subject.used(at(2)).month_bytes, subject.used(at(2)).room_bytes) == (MONTH_BYTES, 0)
    month_ms = 31 * 24 * 3_600_000
    for wall_ms in (month_ms, -month_ms):
        moved = type(at(3))(at(3).awake_ms, at(3).boot_ms, at(3).wall_ms + wall_ms)
        assert subject.used(moved).room_bytes == 0
        again = Subject(subject.places, BOOT, moved, subject.settings)
        assert again.used(moved).room_bytes == 0
    assert subject.used(at(40 * 24 * 60)).room_bytes == DAY_BYTES, "time that passes does"
    subject.close()
