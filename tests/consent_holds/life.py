"""One machine with one person, through any number of lives of the agent: what every rule of the state machine stands on."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine

from agent import messages
from agent.subject import Subject
from collectors import pipe
from consent.ledger import LedgerError, LedgerUnwritable
from consent.vocabulary import Kind, State, SurfaceId
from tests.consent_holds.children import Observer
from tests.consent_holds.people import Voice
from tests.consent_holds.truth import Exempt, Pair, Told, Truth
from tests.consent_holds.watches import Watches, hold_to
from tests.consent_holds.world import World
from tests.transport.faults import Crash
from transport.span import Everything, OfSurface, Span

EDITOR, MAIL = SurfaceId("editor"), SurfaceId("mail")
PAIRS: tuple[Pair, ...] = ((EDITOR, Kind.POINTER_BUTTON), (EDITOR, Kind.POINTER_SCROLL), (MAIL, Kind.POINTER_BUTTON))
SECOND_MS, MINUTE_MS, DAY_MS = 1000, 60_000, 24 * 3600_000
LONG_LEASE_S = 30 * 24 * 3600
INTERRUPTIONS = (
    "a pause and its end",
    "a forgetting",
    "a narrower policy",
    "another icon",
    "a suspend",
    "a withdrawal and a yes",
)
COMMANDS = ("withdraw", "withdraw", "pause", "resume", "forget", "consent", "narrow")
BEGINNINGS = ("fresh", "recording", "held", "sealed", "sealed")
Name = TypeVar("Name", SurfaceId, Kind)
Effect = Callable[[Told], Told]
Found = tuple[frozenset[Pair] | None, bool, str | None, frozenset[Exempt]]

spans = st.sampled_from([Everything(), OfSurface(EDITOR), OfSurface(MAIL), 1, 60, 3600, 2 * 86400])
often = st.sampled_from(PAIRS[:1] * 3 + PAIRS)


@dataclass(frozen=True)
class Asked:
    """A request that was issued, and what it does to what the person was told."""

    effect: Effect
    is_stop: bool


def no(told: Told) -> Told:
    return replace(told, yes=None, paused=False)


def pause(told: Told) -> Told:
    return replace(told, paused=told.yes is not None)


def resume(told: Told) -> Told:
    return replace(told, paused=False)


def unchanged(told: Told) -> Told:
    return told


class Life(RuleBasedStateMachine):
    """Opens and reopens the agent, issues requests, and knows what the person was told."""

    def __init__(self) -> None:
        super().__init__()
        self.truth = Truth()
        self.watches = Watches(self.truth)
        self.open_requests: list[Asked] = []
        self.refused_stops: list[Asked] = []
        self.under_way: list[tuple[Observer, pipe.Observed, int]] = []
        self.prompt, self.network = True, "answers"
        self.icons = self.ids = self.exempted = 0
        self.power_cut = self.lapsed = False
        self.world = World(self.watches.put_on)
        self.world.on_open = self.opened
        self.world.upload_came = self.upload_came  # type: ignore[method-assign]

    def opened(self, subject: Subject) -> None:
        """INV-12, INV-14: after a start holds what the person was told last, or what was being decided; nothing of a no is left."""
        found = self.found(subject)
        possible = {self.truth.told}
        for asked in [*self.refused_stops, *self.open_requests]:
            possible |= {asked.effect(told) for told in possible}
            if asked.effect is no:  # one that finds no room is a pause at least
                possible |= {pause(told) for told in possible}
        agreed = [told for told in possible if same(told, found)]
        hold_to("INV-12", agreed, "a decision that was acknowledged is lost, or one that nobody made is there")
        if agreed and agreed[0].yes is None and self.truth.told.yes is not None:
            self.truth.cover_all("withdrawn")
        became_paused, self.truth.told = agreed[0].paused and not self.truth.told.paused, agreed[0]
        if became_paused or any(
            asked.effect is pause for asked in self.open_requests
        ):  # written down or not: nobody was told how long it is
            self.truth.pause_left_ms = self.pause_left_ms(subject)
        self.open_requests.clear()
        self.under_way.clear()
        self.truth.locked = self.lapsed = False
        if self.truth.told.yes is None:
            gone = (subject.hold.stats().events, subject.outbox.stats().envelopes)
            hold_to("INV-13", gone == (0, 0), "the agent has started with what a withdrawal covers")
        self.look_into(subject)
        self.truth.holds.append((self.truth.tick(), subject.hold_s(self.world.policy.policy)))
        if self.world.policy.policy is not None:
            self.world.policy = replace(self.world.policy, verified=self.world.time.read())

    def pause_left_ms(self, subject: Subject) -> int | None:
        found = subject.record.choice.pause
        left_s = found.left_s(self.world.time.read(), self.world.time.boot) if found is not None else None
        return None if left_s is None else left_s * 1000

    def found(self, subject: Subject) -> Found:
        choice, receipt = subject.record.choice, subject.record.receipt()
        hours = choice.hours.text() if choice.hours else None
        exempt = frozenset(Exempt(each.id, _only(each.covers.surfaces), _only(each.covers.kinds)) for each in choice.exemptions)
        if choice.state in (State.UNASKED, State.WITHDRAWN):
            return None, False, hours, exempt
        assert receipt is not None
        return frozenset(receipt.scope().grants), choice.state is State.PAUSED, hours, exempt

    def look_into(self, subject: Subject) -> None:
        """INV-2, INV-11, INV-14: read everything that is held, and look at all that waits."""
        for part in subject.hold.read():
            for event in part.events:
                happened = self.truth.of(event)
                hold_to("INV-2, INV-11, INV-14", happened.bad is None, f"an event is held that must not be: {happened.bad}")
        for note in subject.outbox.waiting():
            bad = [event.bad for event in self.watches.envelopes[note.id] if event.bad]
            hold_to("INV-11, INV-14", not bad, f"an envelope waits that must not: {bad[:1]}")

    def live(self) -> bool:
        """Let the daemon do what it has to; if it died of it, start it again. Whether it lived."""
        if self.world.settle():
            return True
        self.start_again(power_cut=self.power_cut)
        return False

    def start_again(self, *, power_cut: bool) -> None:
        """The process or the machine is gone, and starts: what it was told is there, so its ledger holds."""
        try:
            self.world.die(power_cut=power_cut)
        except LedgerUnwritable:
            raise
        except LedgerError as error:
            hold_to("INV-12", False, f"after a start the ledger does not hold: {error}")
        self.after_start()

    def after_start(self) -> None:
        self.narrowed()

    def say(self, request: messages.Request, asked: Asked, done: Callable[[], None] | None = None) -> Voice:
        """Issue a request. What it does to the truth is done at the very instant of its acknowledgement."""
        self.open_requests.append(asked)

        def told(answer: messages.Answer) -> None:
            if self.world.disk.dead:
                return
            self.open_requests.remove(asked)
            if isinstance(answer, messages.Refused):
                self.refused_stops += [asked] if asked.is_stop else []
            else:
                self.truth.told = asked.effect(self.truth.told)
                if done is not None:
                    done()

        voice = Voice(told)
        task = self.world.loop.create_task(self.world.answers._serve(voice, request))
        task.add_done_callback(self.ended_well)
        return voice

    def ended_well(self, task: object) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, Crash):
            self.world.loop.faults.append(error)


def named(span: Span | int) -> dict[str, object]:
    """A span as a person names it."""
    match span:
        case int():
            return {"last_s": span}
        case OfSurface(surface):
            return {"surface": surface}
    return {}


def same(told: Told, found: Found) -> bool:
    return (None if told.yes is None else told.yes.pairs(), told.paused, told.hours, told.exempt) == found


def _only(names: frozenset[Name]) -> Name | None:
    """The one name, if one is named."""
    return next(iter(names), None)
