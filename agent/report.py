"""Status: what holds now, as the one object that CLI, icon and pages show. From the subject's state and, if alive, the daemon's."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from agent import permission
from agent.budget import COSTLY, FULL, Facts, Judged, Level, judge
from agent.faults import Fault
from agent.policies import InForce
from agent.status import (
    SCHEMA,
    BudgetPart,
    CollectorPart,
    ExemptionPart,
    HoldPart,
    IndicatorPart,
    OutboxPart,
    PausePart,
    PolicyPart,
    ReceiptPart,
    SentPart,
    Status,
    TallyPart,
    Trouble,
)
from agent.subject import Subject
from collectors.pipe import CollectorState
from consent.event import Clocks
from consent.proof import NONE, Proof
from consent.standing import Standing
from consent.vocabulary import Automatic, Blocker, State


@dataclass(frozen=True, slots=True)
class Alive:
    """What only a living daemon knows.

    Attributes:
        wider: How many things the policy asks for beyond the yes that is in force.
        waits: Why what is due stays held, if it does.
        locks: What tells that the screen is locked.
        untold: Automatic exemptions of which nothing can tell.
        trouble: Why a child that is needed does not run, for people.
        budget: What the budget leaves.
        cpu_percent: Of one core, what all our processes took in the last minutes.
    """

    standing: Standing
    collecting: bool
    policy: InForce
    proof: Proof
    collectors: tuple[CollectorState, ...]
    wider: int = 0
    waits: str | None = None
    locks: tuple[str, ...] = ()
    untold: tuple[Automatic, ...] = ()
    trouble: str = ""
    budget: Judged = FULL
    cpu_percent: float | None = None


def _iso(wall_ms: int) -> str:
    return datetime.fromtimestamp(wall_ms / 1000, UTC).isoformat(timespec="seconds")


def _why(alive: Alive) -> tuple[str, ...]:
    standing, policy = alive.standing, alive.policy.blocker
    if standing.state is State.CONSENTED:
        return () if standing.open else (Blocker.NO_INDICATOR.value,)
    known: tuple[StrEnum, ...] = standing.blockers or (standing.state, *standing.because, *standing.asked)
    return tuple(each.value for each in (*known, *([policy] if policy and policy not in known else [])))


def _without_daemon(standing: Standing, words: str) -> str:
    if standing.state is State.CONSENTED:
        return "The daemon is not running: nothing is recorded, although you said yes."
    return f"The daemon is not running. {words}"


def _exemptions(subject: Subject, standing: Standing, now: Clocks) -> tuple[ExemptionPart, ...]:
    instants_ms = subject.anchor.instants_ms(now)
    asked = (ExemptionPart(each.id, each.ground.value, each.stage(instants_ms).value) for each in subject.record.choice.exemptions)
    return (*(ExemptionPart(each.value, each.value, "automatic") for each in standing.because), *asked)


def _collectors(alive: Alive) -> Iterator[CollectorPart]:
    """How each collector is, and which are off because of the budget."""
    yield from (CollectorPart(one.kind, one.state, one.why) for one in alive.collectors)
    if alive.standing.state is State.CONSENTED and alive.budget.level.reaches(Level.LESS):
        spared = alive.standing.aside.kinds() & COSTLY - alive.standing.scope.kinds()
        yield from (CollectorPart(kind, "off", "over budget") for kind in sorted(spared))


def _budget(subject: Subject, now: Clocks, alive: Alive | None) -> BudgetPart:
    used = subject.used(now)
    judged = alive.budget if alive else judge(Facts(used=used))
    said = judged.words if alive is not None and alive.standing.state is State.CONSENTED else ""
    cpu = round(alive.cpu_percent, 1) if alive and alive.cpu_percent is not None else None
    limits = used.limits
    return BudgetPart(used.day_bytes, limits.day_bytes, used.month_bytes, limits.month_bytes, judged.level, judged.why, said, cpu)


def report(subject: Subject, now: Clocks, alive: Alive | None) -> Status:
    """What holds now. `alive` None: computed from disk, by a command that found no daemon."""
    choice = subject.record.choice
    standing = alive.standing if alive else Standing(choice.state, 0)
    policy = alive.policy if alive else InForce()
    proof = alive.proof if alive else NONE
    left = choice.pause.left_s(now, subject.boot) if choice.pause else None
    until_resumed = choice.pause is not None and choice.pause.minutes is None
    receipt = subject.record.receipt()
    over = alive.budget.because if alive else ""
    words = permission.words(standing, pause_left_s=left, until_resumed=until_resumed, trouble=alive.trouble if alive else "", over=over)
    held, waiting, sent = subject.hold.stats(), subject.outbox.stats(), subject.sent()
    oldest_s = (now.wall_ms - held.oldest.first_wall_ms) // 1000 if held.oldest else None
    return Status(
        schema=SCHEMA,
        standing=standing.state,
        collecting=bool(alive and alive.collecting),
        why=_why(alive) if alive else (Trouble.NOT_RUNNING.value,),
        words=words if alive else _without_daemon(standing, words),
        since=_iso(choice.since.wall_ms) if choice.since.wall_ms else None,
        running=alive is not None,
        trial=subject.settings.trial,
        indicator=IndicatorPart(proof.live, proof.form),
        policy=PolicyPart(
            policy.policy.version if policy.policy else None,
            policy.expires.isoformat() if policy.expires else None,
            alive.wider if alive else 0,
            policy.why or None,
        ),
        receipt=ReceiptPart(receipt.id if receipt else None),
        pause=PausePart(left, until_resumed),
        exemptions=_exemptions(subject, standing, now),
        collectors=tuple(_collectors(alive)) if alive else (),
        hold=HoldPart(
            held.events,
            held.held_bytes,
            max(0, oldest_s) if oldest_s is not None else None,
            subject.hold_s(policy.policy),
            held.quarantined + subject.outbox.damaged,
            alive.locks if alive else (),
        ),
        outbox=OutboxPart(waiting.envelopes, waiting.envelope_bytes, alive.waits if alive else None),
        sent=sent,
        tally=subject.tally.part(),
        budget=_budget(subject, now, alive),
        keystore=subject.keystore.where,
        untold=alive.untold if alive else (),
    )


def fault_report(fault: Fault) -> Status:
    """What holds when the state cannot be read or believed: blocked, and why."""
    return Status(
        schema=SCHEMA,
        standing=State.BLOCKED,
        collecting=False,
        why=(fault.why.value,),
        words=f"Blocked: {fault.line}. Nothing is recorded.",
        since=None,
        running=False,
        trial=False,
        indicator=IndicatorPart(False, None),
        policy=PolicyPart(None, None),
        receipt=ReceiptPart(None),
        pause=PausePart(None, False),
        exemptions=(),
        collectors=(),
        hold=HoldPart(0, 0, None, None, 0, ()),
        outbox=OutboxPart(0, 0, None),
        sent=SentPart(0, 0),
        tally=TallyPart(0, {}, 0, 0, 0, 0, 0),
        budget=BudgetPart(0, None, level=Level.NOTHING),
        keystore="unknown",
    )
