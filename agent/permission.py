"""Permission: what the facts amount to at one instant. Pure; the same answer for daemon, status and sealing.

effective scope = consented, met with the current policy, minus what the policy has since made wider: another key, another
recipient, other words for a purpose, a longer retention, another program behind the name of an app; and minus what its person
asked to be exempt from (INV-15). A shorter hold is not obeyed; a longer one is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType

from agent import budget
from agent.budget import Level
from consent import exemption
from consent.exemption import Exemption
from consent.history import Choice
from consent.holding import in_force_s
from consent.hours import NO_HOURS, Hours, HoursError, parse
from consent.policy import Policy
from consent.proof import NONE, Proof
from consent.receipt import ConsentReceipt
from consent.scope import NOTHING, Scope
from consent.standing import Happening, Standing, after
from consent.vocabulary import AUTOMATIC_WORDS, Automatic, Blocker, Kind, Purpose, State

_WHY_NO_POLICY = frozenset({Blocker.POLICY_EXPIRED, Blocker.POLICY_REFUSED, Blocker.JOURNAL_UNWRITABLE})


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that a permission depends on.

    Attributes:
        choice: What the subject's own words amount to.
        receipt: The verified receipt in force; None if there is none, or it does not verify.
        policy: The policy, if its signatures hold and its lease has not ended.
        kinds: Kinds that the register has in force today.
        proof: What the indicator has proven.
        blockers: Reasons to refuse that the rest does not show.
        automatic: Exemptions that nobody needs to ask for, as they hold now.
        today: The judged day here (`agent.today`); None: not known, and then no notice of today was acknowledged.
        daily_notice: Whether this machine's settings ask for the notice on each day, whatever the policy says.
        level: How much of it the budget leaves.
        instants_ms: What time it may be, milliseconds since 1970, by each clock; without any, an exemption for some hours holds.
    """

    choice: Choice
    receipt: ConsentReceipt | None = None
    policy: Policy | None = None
    kinds: frozenset[Kind] = frozenset()
    proof: Proof = NONE
    blockers: frozenset[Blocker] = frozenset()
    automatic: frozenset[Automatic] = frozenset()
    today: date | None = None
    daily_notice: bool = False
    level: Level = Level.FULL
    instants_ms: tuple[int, ...] = ()


def hours(choice: Choice, receipt: ConsentReceipt | None) -> tuple[Hours, ...]:
    """The hours within which anything may be observed: those of the yes, and those that the person chose since. All must hold."""
    return (_agreed_hours(receipt), *([choice.hours] if choice.hours else []))


def _agreed_hours(receipt: ConsentReceipt | None) -> Hours:
    try:
        return parse(receipt.hours) if receipt else NO_HOURS
    except HoursError:
        return NO_HOURS


def exempting(choice: Choice, told: frozenset[Automatic]) -> frozenset[Automatic]:
    """Of the facts that are told of, those that exempt this person.

    Of a link of which nothing tells what was told last is believed, unless they chose how it counts.
    """
    spared = set() if choice.unplugged else {Automatic.UNPLUGGED}
    if choice.link_unknown is not True:
        spared.add(Automatic.LINK_UNKNOWN)
    if choice.link_unknown is False and Automatic.LINK_UNKNOWN in told:
        spared.add(Automatic.METERED_LINK)
    return told - spared


def effective(receipt: ConsentReceipt, policy: Policy, kinds: frozenset[Kind]) -> Scope:
    """What may be observed: consented, in the present policy, on unchanged terms, and not expired in the register."""
    if policy.receiver != receipt.receiver or policy.controller != receipt.controller:
        return NOTHING
    met = receipt.scope().meet(policy.scope())
    same = {purpose for purpose in policy.purposes if _unchanged(receipt, policy, purpose)}
    known = {None} | {surface for surface, terms in policy.surfaces.items() if receipt.surfaces.get(surface) == terms.fingerprint}
    grants = {
        (surface, kind): purpose
        for (surface, kind), purpose in met.grants.items()
        if purpose in same and kind in kinds and surface in known
    }
    return Scope(MappingProxyType(grants))


def _unchanged(receipt: ConsentReceipt, policy: Policy, purpose: Purpose) -> bool:
    terms = policy.purposes[purpose]
    key_is_same = receipt.purpose_keys.get(purpose) == terms.key_id.hex()
    words_are_same = receipt.purpose_words.get(purpose) == terms.fingerprint
    return key_is_same and words_are_same and terms.retention_days <= receipt.retention_days.get(purpose, 0)


def hold_s(choice: Choice, receipt: ConsentReceipt | None, policy: Policy | None) -> int:
    """How long what is recorded now is held before it may leave, in seconds: a policy can only lengthen what was promised or chosen."""
    return in_force_s(choice.holding, receipt.hold_min_s if receipt else 0, policy.hold_min_s if policy else 0)


def standing(facts: Facts, generation: int) -> Standing:
    """What holds now. Whatever is missing becomes a blocker; a blocker never touches what the subject has chosen."""
    blockers, scope = set(facts.blockers), NOTHING
    if facts.choice.state is not State.CONSENTED:
        return Standing(facts.choice.state, generation)
    asked = asked_now(facts.choice, facts.instants_ms)
    if facts.automatic or any(each.covers.everything for each in asked):
        return _exempt(facts, [each for each in asked if each.covers.everything], generation)
    if facts.receipt is None:
        blockers.add(Blocker.RECEIPT_INVALID)
    blockers |= _of_the_notice(facts)
    if facts.policy is None and not blockers & _WHY_NO_POLICY:
        blockers.add(Blocker.POLICY_MISSING)
    if not facts.proof.live:
        blockers.add(Blocker.NO_INDICATOR)
    if facts.receipt is not None and facts.policy is not None:
        scope = effective(facts.receipt, facts.policy, facts.kinds)
        if not scope.surfaces():
            blockers.add(Blocker.NOTHING_AGREED)
    every = tuple(each.covers for each in facts.choice.exemptions)
    ever = exemption.minus(scope, (covers for covers in every if covers.hours.always))
    now = exemption.minus(scope, (each.covers for each in asked))
    if scope.surfaces() and not now.surfaces() and not blockers:
        return _exempt(facts, asked, generation, for_good=not ever.surfaces())
    agreed, now = now, budget.left(now, facts.level)
    if agreed.surfaces() and not now.surfaces():
        blockers.add(Blocker.OVER_BUDGET)
    state = after(State.CONSENTED, Happening.BLOCKER_ROSE) if blockers else State.CONSENTED
    shown = facts.proof.shows(State.CONSENTED)
    return Standing(state, generation, now, shown, tuple(sorted(blockers)), exempt=every, aside=ever.without(now))


def asked_now(choice: Choice, instants_ms: tuple[int, ...]) -> list[Exemption]:
    """The exemptions that the person asked for and that hold now: those for some hours as soon as one clock may be in them."""
    return [each for each in choice.exemptions if each.covers.may_hold(instants_ms)]


def _exempt(facts: Facts, asked: list[Exemption], generation: int, *, for_good: bool = False) -> Standing:
    """Nothing is observed. What is held waits for the end of an exemption that ends by itself, and is destroyed when due in another."""
    exempt = tuple(each.covers for each in facts.choice.exemptions)
    return Standing(
        after(State.CONSENTED, Happening.EXEMPTION_BEGAN),
        generation,
        because=tuple(sorted(facts.automatic)),
        asked=exemption.grounds(asked),
        exempt=exempt,
        for_good=for_good or any(covers.everything and covers.hours.always for covers in exempt),
    )


def _of_the_notice(facts: Facts) -> frozenset[Blocker]:
    """An acknowledgement is asked for exactly the notice that the receipt pins, and anew on each day where any of three asks for that."""
    if facts.receipt is None:
        return frozenset()
    found = set() if facts.receipt.notice_sha256 in facts.choice.acknowledged else {Blocker.NOTICE_UNACKNOWLEDGED}
    if is_daily(facts) and (facts.today is None or facts.choice.noticed != facts.today):
        found.add(Blocker.NOTICE_DUE)
    return frozenset(found)


def is_daily(facts: Facts) -> bool:
    """Whether the notice is due on each day: the strictest of what was promised, what the policy asks now, and this machine's settings."""
    promised = facts.receipt is not None and facts.receipt.daily_notice
    return promised or facts.daily_notice or (facts.policy is not None and facts.policy.daily_notice)


def same(one: Standing, other: Standing) -> bool:
    """Whether two standings are one and the same permission, whatever their generation numbers."""
    return replace(one, generation=0) == replace(other, generation=0)


WORDS: Mapping[State, str] = MappingProxyType(
    {
        State.UNASKED: "Off: nothing is recorded without your yes.",
        State.CONSENTED: "On: only windows on the list are recorded.",
        State.PAUSED: "Paused. Nothing is recorded.",
        State.EXEMPT: "Exempt. Nothing is recorded.",
        State.WITHDRAWN: "Off: you said no. Nothing is recorded.",
        State.BLOCKED: "Blocked. Nothing is recorded.",
    }
)

BLOCKER_WORDS: Mapping[Blocker, str] = MappingProxyType(
    {
        Blocker.NO_INDICATOR: "no icon or badge is visible",
        Blocker.POLICY_MISSING: "there is no policy yet",
        Blocker.POLICY_REFUSED: "the policy is refused: its signatures or its receiver do not hold",
        Blocker.POLICY_EXPIRED: "the policy has expired",
        Blocker.RECEIPT_INVALID: "your consent receipt does not verify",
        Blocker.NOTICE_UNACKNOWLEDGED: "you have not said that you read the notice: volens consent acknowledge",
        Blocker.NOTICE_DUE: "today's notice waits: volens consent acknowledge",
        Blocker.NOTHING_AGREED: "nothing of what you agreed to is in the present policy",
        Blocker.JOURNAL_UNWRITABLE: "the ledger cannot be written",
        Blocker.FOREIGN_SESSION: "only a person can be recorded, in a session of their own",
        Blocker.DISPLAY_GONE: "the display is gone",
        Blocker.NOT_OBSERVABLE: "this desktop session cannot be observed",
        Blocker.OBSERVER_FAILING: "the observer keeps failing",
        Blocker.OVER_BUDGET: "it would take more of this computer than it may",
    }
)


_OF_CHILDREN = frozenset({Blocker.NO_INDICATOR, Blocker.DISPLAY_GONE, Blocker.NOT_OBSERVABLE, Blocker.OBSERVER_FAILING})
"""Blockers that a child's trouble explains."""


def words(standing: Standing, *, pause_left_s: int | None = None, until_resumed: bool = False, trouble: str = "", over: str = "") -> str:
    """One line for people: what holds, and why. `trouble`: what ails a child, if one is a blocker; `over`: the budget's reason."""
    if standing.state is State.BLOCKED:
        told = [trouble if _OF_CHILDREN.intersection(standing.blockers) else "", over if Blocker.OVER_BUDGET in standing.blockers else ""]
        more = f" ({'; '.join(filter(None, told))})" if any(told) else ""
        return f"Blocked: {', '.join(BLOCKER_WORDS[blocker] for blocker in standing.blockers)}{more}. Nothing is recorded."
    if standing.state is State.EXEMPT and (standing.because or standing.asked):
        asked = [exemption.words(standing.asked)] if standing.asked else []
        return f"Exempt: {', '.join([*(AUTOMATIC_WORDS[each] for each in standing.because), *asked])}. Nothing is recorded."
    if standing.state is State.PAUSED and until_resumed:
        return "Paused until you resume. Nothing is recorded."
    if standing.state is State.PAUSED and pause_left_s == 0:
        return "The pause is over when you resume. Nothing is recorded."
    if standing.state is State.PAUSED and pause_left_s is not None:
        return f"Paused for {-(-pause_left_s // 60)} more minutes. Nothing is recorded."
    return WORDS[standing.state]
