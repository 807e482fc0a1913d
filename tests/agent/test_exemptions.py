"""Exemptions on a person's machine: they hold with and without a daemon, after a restart, under any policy, and over a new yes."""

import asyncio
import os
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from typer import BadParameter

from agent import exempt_commands, exemptions, messages, permission
from agent.alone import Alone
from agent.daemon import Daemon
from agent.errors import CannotDo, Usage
from agent.policies import InForce
from agent.reach import Reach
from agent.registering import Registering
from agent.subject import Subject
from agent.uploading import Uploading
from consent.event import Clocks
from consent.exemption import MAX_IN_FORCE, Covers, Exemption, Ground, Stage
from consent.history import Choice
from consent.hours import parse as parse_hours
from consent.policy import Policy, parse
from consent.standing import Standing
from consent.vocabulary import Kind, State, SurfaceId, Why
from receiver import exemption_commands
from tests.agent.people import BOOT, POLICY, at, clicks, keep, places_in, say_yes, subject_in
from tests.agent.test_permission import FACTS, consented
from tests.consent.test_exemption import requests
from tests.policies import PURPOSE_KEY, as_bytes, policy, surface
from tests.register import REGISTER
from transport.exemption_proof import LAST_DAY, BadDecision, Decision, open_reason, read_decision, seal_reason, sign_decision
from transport.exemptions import Requests
from transport.span import Everything
from transport.xwing import PublicKey

ID, OTHER = "ab" * 32, "cd" * 32
EDITOR = SurfaceId("editor")
FOREVER = datetime(2100, 1, 1, tzinfo=UTC)


def asked(ground: Ground = Ground.SENSITIVE_WORK, **more: object) -> messages.AskExemption:
    return messages.AskExemption(**({"id": ID, "ground": ground} | more))  # type: ignore[arg-type]


def ask(subject: Subject, request: messages.AskExemption, minutes: float = 1) -> str:
    made = exemptions.check(subject, POLICY, request)
    return exemptions.ask(subject, POLICY, made, request.reason, at(minutes))


def decide(subject: Subject, *, granted: bool, until: date | None = None) -> None:
    decision = Decision(ID, granted, "because", until, date(2027, 1, 1))
    exemptions.decided(subject, decision, "signed", at(2))


def standing_of(subject: Subject, minutes: float = 3, published: Policy | None = None) -> Standing:
    """What holds under a policy and a live icon."""
    facts = replace(FACTS, choice=subject.record.choice, receipt=subject.record.receipt(), policy=published or POLICY)
    return permission.standing(replace(facts, instants_ms=subject.anchor.instants_ms(at(minutes))), 1)


@pytest.fixture
def subject(tmp_path: Path) -> Subject:
    """Somebody who said yes, with two clicks held."""
    made = subject_in(tmp_path)
    say_yes(made, at(0))
    keep(made, clicks(1, 2), at(2))
    return made


def test_it_is_off_from_the_asking_on_and_whatever_is_decided(subject: Subject) -> None:
    """While pending, when granted, when its time is over, when denied: exempt. Cancelled by its person: as agreed to, again."""
    assert standing_of(subject).open
    words = ask(subject, asked())
    assert "Exempt from now on: everything." in words
    assert standing_of(subject).state is State.EXEMPT
    for granted, until in ((True, None), (True, date(2020, 1, 1)), (False, None)):
        decide(subject, granted=granted, until=until)
        assert standing_of(subject).state is State.EXEMPT
    assert "as you agreed to" in exemptions.cancel(subject, ID[:8], at(4))
    assert standing_of(subject).open


def test_without_a_policy_it_is_exempt_and_not_blocked(subject: Subject) -> None:
    """Whatever is missing: who asked to be exempt from everything is, and is told so."""
    ask(subject, asked())
    facts = replace(FACTS, choice=subject.record.choice, policy=None, receipt=None)
    now = permission.standing(facts, 1)
    assert (now.state, now.asked, now.blockers) == (State.EXEMPT, (Ground.SENSITIVE_WORK,), ())


def test_the_uploader_destroys_what_is_due_while_everything_is_exempt(subject: Subject) -> None:
    """The daemon's own way: nothing is sent, and the counts say why."""
    ask(subject, asked())

    async def run() -> None:
        loop = asyncio.get_running_loop()
        daemon = Daemon(subject, REGISTER, lambda: at(3), loop)
        daemon.policy, daemon.standing = InForce(POLICY, FOREVER, verified=at(0)), standing_of(subject)
        registering = Registering(daemon, subject.places, lambda: at(3), loop)
        sealed = Uploading(daemon, registering, subject.places, lambda: at(3), loop)._seal(Everything())
        assert (sealed.envelopes, sealed.refused) == (0, {Why.EXEMPT: 2})

    asyncio.run(run())


def test_it_says_why_in_words(subject: Subject) -> None:
    """`volens status` and the icon say that the person asked for it, and on which ground."""
    ask(subject, asked(Ground.MY_CHOICE))
    said = permission.words(standing_of(subject))
    assert said == "Exempt: you asked for it (your choice). Nothing is recorded."


def test_an_exempt_app_is_not_observed_and_the_others_are(tmp_path: Path) -> None:
    """INV-15: the scope without it; when nothing else was agreed to, everything is exempt."""
    two = parse(as_bytes(policy(surfaces=[surface(), surface(id="files", executables=["/usr/bin/thunar"])])))
    receipt = replace(FACTS, policy=two)
    read = frozenset(each.notice_sha256 for each in (FACTS.receipt, consented(two)) if each)
    choice = Choice(State.CONSENTED, acknowledged=read, exemptions=(Exemption(ID, Ground.POWER, Covers(frozenset({EDITOR}))),))
    facts = replace(FACTS, choice=choice)
    assert permission.standing(facts, 1).state is State.EXEMPT
    assert permission.standing(facts, 1).for_good
    both = permission.standing(replace(receipt, choice=choice, receipt=consented(two)), 1)
    assert both.open
    assert set(both.scope.surfaces()) == {SurfaceId("files")}


@given(st.lists(requests, max_size=4), st.lists(st.integers(0, 2**42), max_size=2))
def test_the_effective_scope_is_never_more_than_what_was_consented_to(every: list[Exemption], instants_ms: list[int]) -> None:
    """INV-15: consented, met with the policy, minus exemptions; and what each covers is in no scope while it holds."""
    facts = replace(FACTS, choice=replace(FACTS.choice, exemptions=tuple(every)), instants_ms=tuple(instants_ms))
    now = permission.standing(facts, 1)
    assert FACTS.receipt is not None
    assert set(now.scope.grants) <= set(FACTS.receipt.scope().grants)
    held = [each.covers for each in every if each.covers.may_hold(instants_ms)]
    assert not [pair for pair in now.scope.grants if any(covers.takes(*pair) for covers in held)]


def test_what_was_held_before_is_destroyed_when_due_and_not_before(subject: Subject) -> None:
    """It stays held, so that cancelling loses nothing; when its hold is over it is refused as exempt, counted, and sent to nobody."""
    ask(subject, asked(surfaces=frozenset({EDITOR})))
    exempt = standing_of(subject)
    assert subject.seal(exempt, POLICY, at(3)).refused == {}
    assert subject.hold.stats().events == 2
    counts = subject.seal(exempt, POLICY, at(4), span=Everything())
    assert (counts.envelopes, counts.refused, subject.hold.stats().events) == (0, {Why.EXEMPT: 2}, 0)
    assert subject.tally.refused[Why.EXEMPT] == 2
    assert subject.tally.seen == subject.tally.total()


def test_cancelled_before_its_hold_is_over_it_is_sealed(subject: Subject) -> None:
    """As if nothing had been asked."""
    ask(subject, asked(surfaces=frozenset({EDITOR})))
    exemptions.cancel(subject, ID, at(3))
    assert subject.seal(standing_of(subject), POLICY, at(4), span=Everything()).envelopes == 1


def test_in_its_hours_only_nothing_of_what_is_held_is_destroyed(subject: Subject) -> None:
    """An exemption for some hours ends by itself: what is due waits for that."""
    day = datetime.fromtimestamp(at(3).wall_ms / 1000, UTC)
    begin, end = max(0, day.hour - 1), min(24, day.hour + 2)
    name = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[day.weekday()]
    ask(subject, asked(hours=f"{name} {begin}:00-{end}:00 UTC"))
    now = standing_of(subject)
    assert (now.state, now.for_good) == (State.EXEMPT, False)
    assert subject.seal(now, POLICY, at(4), span=Everything()).waits is not None
    assert subject.hold.stats().events == 2


def test_it_survives_a_restart_a_policy_a_no_and_a_new_yes(subject: Subject) -> None:
    """A withdrawal does not lose it, and a later yes to everything does not widen over it; the offer says so."""
    ask(subject, asked(surfaces=frozenset({EDITOR})))
    subject.withdraw(at(3))
    subject.purge(at(3))
    again = Subject(subject.places, BOOT, at(4))
    say_yes(again, at(5))
    assert again.record.choice.exemptions[0].covers == Covers(frozenset({EDITOR}))
    newer = parse(as_bytes(policy(version=2)))
    assert standing_of(again, 6, newer).state is State.EXEMPT
    assert "editor" in exemptions.standing_words(again, at(6))[0]


def test_before_any_yes_somebody_can_say_never_here(tmp_path: Path) -> None:
    """Without a consent, a policy, a receiver or a network; nothing is written for anybody else."""
    subject = subject_in(tmp_path)
    made = exemptions.check(subject, None, asked(Ground.MY_CHOICE, surfaces=frozenset({EDITOR})))
    assert "nobody is told" in exemptions.ask(subject, None, made, None, at(1))
    say_yes(subject, at(2))
    assert standing_of(subject).state is State.EXEMPT
    assert not subject.places.exemptions.exists()


def test_a_reason_lies_nowhere_in_the_clear(subject: Subject) -> None:
    """INV-22: sealed in the queue, absent from the ledger and every other file; the reviewer's key opens it, for this request only."""
    reason = "my neighbour's divorce"
    ask(subject, asked(reason=seal_reason(PURPOSE_KEY.public, ID, reason)))
    files = [path.read_bytes() for path in subject.places.state.rglob("*") if path.is_file()]
    assert not [raw for raw in files if reason.encode() in raw]
    (waiting,) = Requests(subject.places.exemptions).all()
    assert waiting.asking.reason is not None
    assert open_reason(PURPOSE_KEY, ID, waiting.asking.reason) == reason
    with pytest.raises(Exception, match="this key does not open it"):
        open_reason(PURPOSE_KEY, OTHER, waiting.asking.reason)
    assert reason not in repr(waiting)


def test_every_reason_is_sealed_to_the_same_length() -> None:
    """Its length says nothing of what it says."""
    public = PublicKey(PURPOSE_KEY.public.raw)
    assert {len(seal_reason(public, ID, text)) for text in ("", "a", "é" * 1000)} == {3138}
    with pytest.raises(Exception, match="fewer words"):
        seal_reason(public, ID, "é" * 1001)


def test_an_appeal_refers_to_what_was_denied(subject: Subject) -> None:
    """To nothing else; it covers the same unless it says otherwise, and both stay off until each is cancelled."""
    ask(subject, asked(surfaces=frozenset({EDITOR})))
    with pytest.raises(CannotDo, match="not denied"):
        ask(subject, asked(id=OTHER, appeal=ID))
    decide(subject, granted=False)
    ask(subject, asked(id=OTHER, appeal=ID[:10]))
    shown = exemptions.listed(subject, at(5)).exemptions
    assert [(each.id, each.stage, each.appeal, each.surfaces) for each in shown] == [
        (ID, Stage.DENIED, None, (EDITOR,)),
        (OTHER, Stage.PENDING, ID, (EDITOR,)),
    ]
    exemptions.cancel(subject, OTHER, at(6))
    assert standing_of(subject).state is State.EXEMPT


@pytest.mark.parametrize("named", ["", "ab", "ffff", "zz"])
def test_an_id_that_names_no_single_one_does_nothing(subject: Subject, named: str) -> None:
    """A slip cancels nothing."""
    ask(subject, asked())
    with pytest.raises(CannotDo, match="no single exemption"):
        exemptions.cancel(subject, named, at(3))


def test_an_app_that_is_not_on_the_list_is_a_slip(subject: Subject) -> None:
    """An exemption that covers nothing would only look like one."""
    with pytest.raises(CannotDo, match="no app edditor"):
        exemptions.check(subject, POLICY, asked(surfaces=frozenset({SurfaceId("edditor")})))


def test_a_command_does_all_of_it_without_a_daemon(subject: Subject) -> None:
    """Ask, list, cancel: from disk, under the daemon's lock."""
    subject.close()
    with Alone(subject.places) as alone:
        assert isinstance(alone.answer(messages.AskReviewer()), messages.ReviewerIs)
        assert isinstance(alone.answer(asked(surfaces=frozenset({EDITOR}))), messages.Done)
        listed = alone.answer(messages.ListExemptions())
        assert isinstance(listed, messages.ExemptionsAre)
        assert [each.stage for each in listed.exemptions] == [Stage.PENDING]
        status = alone.answer(messages.AskStatus())
        assert isinstance(status, messages.StatusIs)
        assert [(each.id, each.ground, each.state) for each in status.status.exemptions] == [(ID, "sensitive_work", "pending")]
        assert isinstance(alone.answer(messages.CancelExemption(ID[:6])), messages.Done)
        assert alone.answer(messages.ListExemptions()) == messages.ExemptionsAre(())


def test_a_daemon_closes_when_the_hours_of_an_exemption_begin(subject: Subject) -> None:
    """A permission that was opened before lapses with the first event in them."""
    wall = {"now": at(3)}

    async def run() -> None:
        daemon = Daemon(subject, REGISTER, lambda: wall["now"], asyncio.get_running_loop())
        daemon.policy = InForce(POLICY, FOREVER, verified=at(0))
        covers = Covers(frozenset(), frozenset({Kind.KEY_CHORD}), parse_hours("mon 0:00-0:01 UTC"))
        subject.record.note("exemption_asked", at(3), {"id": ID, "hours": covers.hours.text(), "kinds": ["key_chord"], "ground": "power"})
        daemon.facts()
        daemon.standing = replace(standing_of(subject))
        assert not daemon._lapsed()
        seconds = 7 * 24 * 3600_000
        monday = seconds * (at(3).wall_ms // seconds + 1) + 4 * 24 * 3600_000  # the first day of 1970 was a Thursday
        wall["now"] = Clocks(at(3).awake_ms, at(3).boot_ms, monday)
        assert daemon._lapsed()

    asyncio.run(run())


def test_a_no_over_a_broken_ledger_keeps_what_it_still_tells(subject: Subject) -> None:
    """A line was damaged: the ledger is set aside and a new one begins with the no, and with the exemption; an end is not believed."""
    ask(subject, asked(surfaces=frozenset({EDITOR})))
    exemptions.cancel(subject, ID, at(2))
    subject.close()
    raw = subject.places.ledger.read_bytes()
    subject.places.ledger.write_bytes(raw.replace(b'"what":"consent_given"', b'"what":"consent_giver"', 1))
    with Alone(subject.places) as alone:
        done = alone.answer(messages.Withdraw())
    assert isinstance(done, messages.Done)
    assert "set aside" in done.words
    again = Subject(subject.places, BOOT, at(5))
    assert again.record.choice.state is State.WITHDRAWN
    assert [each.covers for each in again.record.choice.exemptions] == [Covers(frozenset({EDITOR}))]


class NamesAReviewer(Reach):
    """An agent whose policy names one."""

    def ask(self, request: messages.Request) -> messages.Answer:
        assert isinstance(request, messages.AskReviewer)
        return messages.ReviewerIs("rosa", PURPOSE_KEY.public.raw)


def test_the_command_seals_the_reason_before_anything_else_has_it(tmp_path: Path) -> None:
    """From a file, to the reviewer, for this id; one that is too long is refused and not cut."""
    path, reach = tmp_path / "reason", NamesAReviewer(places_in(tmp_path))
    path.write_text("it stays between us\n")
    sealed = exempt_commands._sealed(reach, ID, str(path))
    assert sealed is not None
    assert open_reason(PURPOSE_KEY, ID, sealed) == "it stays between us"
    path.write_text("x" * 2001)
    with pytest.raises(Exception, match="fewer words"):
        exempt_commands._sealed(reach, ID, str(path))


def elsewhere(folder: Path, stands_in_the_way: str) -> None:
    """The folder of requests, as somebody else has left it."""
    if stands_in_the_way == "a link":
        (folder.parent / "another").mkdir()
        folder.symlink_to(folder.parent / "another")
    elif stands_in_the_way == "another's":
        if os.geteuid() != 0:
            pytest.skip("only root can give a folder away")
        folder.mkdir(mode=0o700)
        os.chown(folder, 65534, 65534)
    else:
        folder.mkdir(mode=0o755)


@pytest.mark.parametrize("found", ["a link", "another's", "open to others"])
def test_a_folder_of_requests_that_is_not_ours_alone_keeps_nobody_from_being_exempt(subject: Subject, found: str) -> None:
    """Nobody is asked then, and the words say so; looking and cancelling work likewise."""
    elsewhere(subject.places.exemptions, found)
    words = ask(subject, asked())
    assert "Nobody is asked to decide, because" in words
    assert standing_of(subject).state is State.EXEMPT
    assert [each.id for each in exemptions.listed(subject, at(3)).exemptions] == [ID]
    assert "as you agreed to" in exemptions.cancel(subject, ID, at(4))
    assert standing_of(subject, 5).open


def test_at_the_most_exemptions_there_is_still_room_for_one_from_everything(subject: Subject) -> None:
    """The error advises it; a second one would say nothing more."""
    for number in range(MAX_IN_FORCE):
        ask(subject, asked(Ground.MY_CHOICE, id=f"{number:064x}", surfaces=frozenset({EDITOR})))
    with pytest.raises(CannotDo, match="ask for one from everything"):
        ask(subject, asked(Ground.MY_CHOICE, surfaces=frozenset({EDITOR})))
    ask(subject, asked(Ground.MY_CHOICE))
    assert subject.record.choice.exemptions[-1].covers == Covers()
    with pytest.raises(CannotDo, match="100 exemptions already"):
        ask(subject, asked(Ground.MY_CHOICE, id=OTHER))


def test_an_app_that_was_agreed_to_can_be_exempted_under_a_policy_that_has_it_no_more(subject: Subject) -> None:
    """It may come back with the next policy; what the policy alone has can be exempted as well."""
    today = parse(as_bytes(policy(version=2, surfaces=[surface(id="files", executables=["/usr/bin/thunar"])])))
    both = frozenset({EDITOR, SurfaceId("files")})
    assert exemptions.check(subject, today, asked(surfaces=both)).covers == Covers(both)
    with pytest.raises(CannotDo, match="no app mail"):
        exemptions.check(subject, today, asked(surfaces=frozenset({SurfaceId("mail")})))


@pytest.mark.parametrize("day", [date.max, date(2201, 1, 1), date.min])
def test_no_day_is_too_far_away_to_be_written_down_and_shown(subject: Subject, day: date) -> None:
    """Asked for or decided: one beyond all that is kept counts as the last of them, and stops nothing."""
    ask(subject, asked(until=day))
    decide(subject, granted=True, until=day)
    (shown,) = exemptions.listed(subject, at(3)).exemptions
    assert shown.until is not None
    assert shown.until <= LAST_DAY
    assert standing_of(subject).state is State.EXEMPT


def test_a_day_that_no_calendar_needs_is_a_slip() -> None:
    """Of whoever asks, and of the reviewer's; the last day that is kept is none."""
    assert exempt_commands._day("2200-12-31") == LAST_DAY
    assert exemption_commands._day("2200-12-31") == LAST_DAY
    for text in ("2201-01-01", "9999-12-31"):
        with pytest.raises(Usage, match="after 2200-12-31"):
            exempt_commands._day(text)
        with pytest.raises(BadParameter, match="after 2200-12-31"):
            exemption_commands._day(text)
    key = Ed25519PrivateKey.generate()
    signed = sign_decision(Decision(ID, True, "because", date.max, date(2027, 1, 1)), key)
    with pytest.raises(BadDecision, match="after 2200-12-31"):
        read_decision(signed, ID, key.public_key().public_bytes_raw())
