"""What a person does with exemptions: ask, cancel, look. With or without a daemon; no network, no approval, no permission of anybody.

A request is written down for the reviewer before the ledger says that it holds; one that the ledger does not know is never handed in,
and one that it knows no more is taken back.
"""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

from agent import messages, policies, spans, zone
from agent.errors import CannotDo
from agent.narrowing import Pair
from agent.settings import SettingsWrong, read
from agent.subject import Subject
from agent.words import counted
from consent import exemption
from consent.event import Clocks
from consent.exemption import MAX_IN_FORCE, Covers, Exemption, Ground
from consent.hours import ALWAYS
from consent.policy import Policy
from consent.vocabulary import Kind, State, SurfaceId
from transport.disk import NotPrivate
from transport.errors import TransportError
from transport.exemption_proof import LAST_DAY, Asking, Decision
from transport.exemptions import Requests, Waiting

_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")
_SHORT = 12
"""Hexadecimal digits that name one exemption among a hundred; the whole id is in `--json`."""
_LEAST = 4
_LIST = "see: volens exempt list"
_STAYS = "It stays off until you cancel it: volens exempt cancel {id}"
_TAKE_BACK = "To take it back: volens forget --surface NAME."
_HELD = "What is held of it is destroyed when its hold is over, unless you cancel before."


def policy_on_disk(subject: Subject, now: Clocks) -> Policy | None:
    """The policy in force as a command finds it without a daemon; None if there is none that holds."""
    try:
        receiver = read(subject.places.settings).receiver
    except SettingsWrong:
        return None
    return policies.load(subject.places, subject.record, receiver, now).policy


def reviewer(policy: Policy | None) -> messages.ReviewerIs:
    """Who decides, if anybody does."""
    known = policy.reviewer if policy else None
    return messages.ReviewerIs(known.name, known.key) if known else messages.ReviewerIs(None, None)


def check(subject: Subject, policy: Policy | None, request: messages.AskExemption) -> Exemption:
    """The exemption that is asked for. Raises CannotDo for one that covers nothing of what there is, or appeals against nothing."""
    known = subject.record.choice.exemptions
    if len(known) >= MAX_IN_FORCE and not _the_whole(known, request):
        raise CannotDo(f"there are {MAX_IN_FORCE} exemptions already", f"cancel some, or ask for one from everything; {_LIST}")
    appealed = _denied(known, request.appeal) if request.appeal is not None else None
    if unknown := sorted(request.surfaces - _apps(subject, policy, request.surfaces)):
        raise CannotDo(f"there is no app {', '.join(unknown)} on the list", "see: volens consent show")
    hours = spans.hours(request.hours, zone.name()) or ALWAYS
    covers = Covers(request.surfaces, request.kinds, hours)
    if appealed is not None and covers == Covers():
        covers = appealed.covers
    until_ms = _end_ms(request.until) if request.until else None
    return Exemption(request.id, request.ground, covers, 0, until_ms, appealed.id if appealed else None)


def _the_whole(known: Iterable[Exemption], request: messages.AskExemption) -> bool:
    """Whether this is the one from everything that there is always room for."""
    wanted = not request.surfaces and not request.kinds and request.hours is None and request.appeal is None
    return wanted and all(each.covers != Covers() for each in known)


def _apps(subject: Subject, policy: Policy | None, asked: Iterable[SurfaceId]) -> frozenset[SurfaceId]:
    """The apps that there are: those of the policy and those that were agreed to. Without a policy, whatever could be one."""
    receipt = subject.record.receipt()
    agreed = frozenset(receipt.surfaces) if receipt else frozenset()
    return agreed | (frozenset(policy.surfaces) if policy else frozenset(each for each in asked if _NAME.fullmatch(each)))


def _denied(known: Iterable[Exemption], named: str) -> Exemption:
    found = find(known, named)
    if found.granted is not False:
        raise CannotDo("that exemption is not denied, so there is nothing to appeal against", _LIST)
    return found


def find(known: Iterable[Exemption], named: str) -> Exemption:
    """The exemption of this id, or of the only one that begins so. Raises CannotDo."""
    found = [each for each in known if each.id.startswith(named.strip().lower())]
    if len(named.strip()) < _LEAST or len(found) != 1:
        raise CannotDo("no single exemption has that id", _LIST)
    return found[0]


def ask(subject: Subject, policy: Policy | None, asked: Exemption, sealed: bytes | None, now: Clocks) -> str:
    """Be exempt from now on, durably; what to tell the person. Raises LedgerUnwritable: then nothing is recorded at all."""
    reviewed = asked.ground is not Ground.MY_CHOICE
    refused = _keep(subject, asked, sealed) if reviewed else None
    sealed_before = _destroy_waiting(subject, asked.covers)  # first: what leaves in between could not be taken back
    subject.record.note(exemption.ASKED, now, exemption.asked(asked))
    words = [f"Exempt from now on: {asked.covers.text()}.", _STAYS.format(id=asked.id[:_SHORT]) + ".", _HELD]
    nobody = f"Nobody is asked to decide, because {refused}; it is off all the same." if refused else ""
    return " ".join(filter(None, [*words, sealed_before, nobody or _who_decides(policy, asked)]))


def _destroy_waiting(subject: Subject, covers: Covers) -> str:
    """Destroy the envelopes that wait and may hold any of this; what to tell the person, nothing if there were none.

    Under an exemption from everything none leaves, and under one for some hours they are as due as what is held.
    """
    if covers == Covers() or not subject.outbox.waiting():
        return ""
    if not covers.hours.always:
        return f"What is sealed already leaves as it would have. {_TAKE_BACK}"
    try:
        gone = subject.destroy_waiting(_pairs(subject, covers))
    except (OSError, TransportError):
        return f"The disk refuses to destroy what waits to be sent. {_TAKE_BACK}"
    return f"Of what waits to be sent, {counted(gone, 'envelope')} destroyed, whole, for what may be in it of this." if gone else ""


def _pairs(subject: Subject, covers: Covers) -> tuple[Pair, ...]:
    """What is covered: of the apps that are named every kind, whenever it was agreed to; else of what was agreed to."""
    kinds = covers.kinds or frozenset(Kind)
    if covers.surfaces:
        return tuple((surface, kind) for surface in sorted(covers.surfaces) for kind in sorted(kinds))
    receipt = subject.record.receipt()
    return tuple(pair for pair in receipt.scope().grants if covers.takes(*pair)) if receipt else ()


def _who_decides(policy: Policy | None, asked: Exemption) -> str:
    if asked.ground is Ground.MY_CHOICE:
        return "Nobody is asked, and nobody is told."
    name = reviewer(policy).name
    if name is None:
        return "No policy in force names a reviewer, so nobody decides yet; it is off all the same."
    return f"{name} is asked to decide, and is not told who asks."


def _keep(subject: Subject, asked: Exemption, sealed: bytes | None) -> str | None:
    """Write a request down for the reviewer; what stands in the way, if something does. It is no condition of being exempt."""
    covers = asked.covers
    surfaces, kinds = tuple(sorted(covers.surfaces)), tuple(sorted(kind.value for kind in covers.kinds))
    until = _last_day(asked.until_ms)
    asking = Asking(asked.id, asked.ground, surfaces, kinds, covers.hours.text(), until, asked.appeal, sealed)
    try:
        Requests(subject.places.exemptions).keep(Waiting(asking))
    except NotPrivate as error:
        return error.what
    except OSError:
        return "the disk refuses"
    return None


def cancel(subject: Subject, named: str, now: Clocks) -> str:
    """End an exemption, by its person; what to tell them."""
    found = find(subject.record.choice.exemptions, named)
    subject.record.note(exemption.CANCELLED, now, {"id": found.id})
    tried = found.id in {each.id for each in _on_their_way(subject) if each.tried}
    told = " The receiver is asked to forget the request." if tried else ""
    return f"Cancelled: {found.covers.text()}. {_what_now(subject)}{told}"


def _what_now(subject: Subject) -> str:
    choice = subject.record.choice
    if choice.state in (State.UNASKED, State.WITHDRAWN):
        return "Nothing is recorded without your yes."
    others = len(choice.exemptions)
    return "It is recorded again as you agreed to" + (f", as far as {counted(others, 'other exemption')} leave it." if others else ".")


def listed(subject: Subject, now: Clocks) -> messages.ExemptionsAre:
    """The exemptions in force, oldest first, and the choices that stand beside them."""
    on_their_way = {each.id: each for each in _on_their_way(subject)}
    instants_ms = subject.anchor.instants_ms(now)
    choice = subject.record.choice
    shown = tuple(_shown(each, instants_ms, on_their_way.get(each.id)) for each in choice.exemptions)
    return messages.ExemptionsAre(shown, choice.unplugged, choice.link_unknown)


def _on_their_way(subject: Subject) -> list[Waiting]:
    try:
        return Requests(subject.places.exemptions).all()
    except (OSError, NotPrivate):
        return []


def _shown(each: Exemption, instants_ms: Iterable[int], way: Waiting | None) -> messages.ExemptionIs:
    ends = [end for end in (each.until_ms, each.decided_until_ms) if end is not None]
    return messages.ExemptionIs(
        each.id,
        each.ground,
        each.stage(instants_ms),
        tuple(sorted(each.covers.surfaces)),
        tuple(sorted(each.covers.kinds)),
        each.covers.hours.text(),
        each.covers.text(),
        datetime.fromtimestamp(each.asked_ms / 1000, UTC).isoformat(timespec="seconds"),
        _last_day(min(ends)) if ends else None,
        each.appeal,
        each.reason,
        bool(way and way.handed_in),
        bool(way and way.doubted),
    )


def standing_words(subject: Subject, now: Clocks) -> tuple[str, ...]:
    """What stays off whatever is said yes to, a line each."""
    instants_ms = subject.anchor.instants_ms(now)
    return tuple(f"{each.covers.text()[:200]} ({each.id[:_SHORT]}, {each.stage(instants_ms)})" for each in subject.record.choice.exemptions)


def decided(subject: Subject, decision: Decision, signed: str, now: Clocks) -> None:
    """Write a decision down that was verified. It changes what is shown and nothing else."""
    until_ms = _end_ms(decision.until) if decision.until else None
    data = {"id": decision.id, "granted": decision.granted, "reason": decision.reason, "until_ms": until_ms, "signed": signed}
    subject.record.note(exemption.DECIDED, now, data, reserve=False)


def _end_ms(last: date) -> int:
    """The first instant after a day, milliseconds since 1970; a day beyond all that is kept counts as the last of them."""
    return int(datetime.combine(min(last, LAST_DAY) + timedelta(days=1), time(), UTC).timestamp() * 1000)


def _last_day(end_ms: int | None) -> date | None:
    return None if end_ms is None else datetime.fromtimestamp(min(max(end_ms, 1000), _end_ms(LAST_DAY)) / 1000 - 1, UTC).date()
