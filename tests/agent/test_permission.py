"""Permission: from facts to standing. Everything must hold at once, and nobody but the subject can widen it."""

import base64
from dataclasses import replace

import pytest

from agent import permission
from agent.consenting import Asking, offer, receipt
from agent.errors import CannotDo
from agent.messages import GiveConsent
from agent.permission import Facts, standing
from consent.event import Clocks
from consent.history import Choice
from consent.holding import DEFAULT_HOLD_S
from consent.notice import COLUMNS, text
from consent.policy import Policy, parse
from consent.proof import NONE, Proof
from consent.receipt import ConsentReceipt
from consent.register import Entry
from consent.vocabulary import Blocker, Kind, Purpose, State, SurfaceId
from tests.policies import as_bytes, policy, surface
from tests.register import REGISTER
from transport.xwing import ReadingKey

NOW = Clocks(1000, 1000, 1_800_000_000_000)
OTHER_KEY = base64.b64encode(ReadingKey.from_seed(bytes(32)).public.raw).decode()
TRAIN = Purpose("train-desktop-agents")
ENTRIES: dict[Kind, Entry] = dict(REGISTER)


def asking(published: Policy) -> Asking:
    return Asking(offer(published, ENTRIES), published, "123456", NOW.awake_ms)


def yes(begun: Asking, **changes: object) -> GiveConsent:
    said = {"code": "123 456", "purposes": frozenset({TRAIN}), "kinds": frozenset({Kind.POINTER_BUTTON, Kind.KEY_CHORD})}
    return GiveConsent(**(said | {"notice_sha256": begun.offer.notice_sha256} | changes))  # type: ignore[arg-type]


def consented(published: Policy) -> ConsentReceipt:
    begun = asking(published)
    return receipt(begun, yes(begun), receipt_id="00", wall_ms=NOW.wall_ms)


POLICY = parse(as_bytes(policy()))
SEEN = Proof("one", "tray", State.CONSENTED)
READ = frozenset({consented(POLICY).notice_sha256})
FACTS = Facts(Choice(State.CONSENTED, acknowledged=READ), consented(POLICY), POLICY, frozenset(Kind), SEEN)


def test_when_everything_holds_the_gate_is_open() -> None:
    """Consent, receipt, policy, register and indicator: open, for exactly what was agreed to."""
    now = standing(FACTS, 7)
    assert (now.open, now.generation, now.blockers) == (True, 7, ())
    assert now.scope.kinds() == {Kind.POINTER_BUTTON, Kind.KEY_CHORD, Kind.GAP, Kind.CONTROL}


@pytest.mark.parametrize(
    ("change", "blocker"),
    [
        ({"receipt": None}, Blocker.RECEIPT_INVALID),
        ({"policy": None}, Blocker.POLICY_MISSING),
        ({"proof": NONE}, Blocker.NO_INDICATOR),
        ({"proof": Proof("one", "tray")}, Blocker.NO_INDICATOR),
        ({"kinds": frozenset()}, Blocker.NOTHING_AGREED),
        ({"choice": Choice(State.CONSENTED)}, Blocker.NOTICE_UNACKNOWLEDGED),
        ({"choice": Choice(State.CONSENTED, acknowledged=frozenset({"00"}))}, Blocker.NOTICE_UNACKNOWLEDGED),
        ({"daily_notice": True}, Blocker.NOTICE_DUE),
        ({"blockers": frozenset({Blocker.DISPLAY_GONE})}, Blocker.DISPLAY_GONE),
    ],
)
def test_whatever_is_missing_blocks_and_says_so(change: dict[str, object], blocker: Blocker) -> None:
    """Each missing fact closes the gate under its own name; the subject's consent is not touched by it."""
    now = standing(replace(FACTS, **change), 1)  # type: ignore[arg-type]
    assert (now.state, now.open) == (State.BLOCKED, False)
    assert blocker in now.blockers


def test_an_indicator_that_shows_something_else_keeps_the_gate_closed() -> None:
    """Live, but showing "blocked" still: consented, and not open, until it has proven to show that it records."""
    now = standing(replace(FACTS, proof=Proof("one", "tray", State.BLOCKED)), 1)
    assert (now.state, now.open) == (State.CONSENTED, False)


@pytest.mark.parametrize("state", [State.UNASKED, State.PAUSED, State.EXEMPT, State.WITHDRAWN])
def test_no_fact_opens_what_the_subject_closed(state: State) -> None:
    """With everything else in place, a subject's no is a no."""
    assert not standing(replace(FACTS, choice=Choice(state, acknowledged=READ)), 1).open


@pytest.mark.parametrize(
    "published",
    [
        policy(controller="Somebody Else"),
        policy(receiver="http://127.0.0.1:10"),
        policy(purposes=[policy()["purposes"][0] | {"retention_days": 31}]),
        policy(purposes=[policy()["purposes"][0] | {"public_key": OTHER_KEY}]),
        policy(surfaces=[surface(id="new")]),
        policy(surfaces=[surface(executables=["/usr/bin/mousepad", "/usr/bin/keepassxc"])]),
        policy(surfaces=[surface(category="browser")]),
    ],
)
def test_a_policy_on_other_terms_collects_nothing_under_an_old_yes(published: dict[str, object]) -> None:
    """Another controller, recipient, longer retention, another purpose key, another app, or another program
    behind the same name: nothing until a new yes."""
    now = standing(replace(FACTS, policy=parse(as_bytes(published))), 1)
    assert not now.open


def test_a_wider_policy_adds_nothing_and_a_narrower_one_acts_at_once() -> None:
    """INV-15: one more kind stays off; one kind less is off at once."""
    wider = parse(as_bytes(policy(surfaces=[surface(kinds=["pointer_button", "key_chord", "key_named"])])))
    assert Kind.KEY_NAMED not in standing(replace(FACTS, policy=wider), 1).scope.kinds()
    narrower = parse(as_bytes(policy(surfaces=[surface(kinds=["key_chord"])])))
    assert Kind.POINTER_BUTTON not in standing(replace(FACTS, policy=narrower), 1).scope.kinds()


def test_a_shorter_hold_is_not_obeyed_and_a_longer_one_is() -> None:
    """The hold is at least a day and what was promised; a policy can only lengthen it."""
    agreed = consented(POLICY)
    assert permission.hold_s(Choice(), agreed, POLICY) == DEFAULT_HOLD_S
    assert permission.hold_s(Choice(), agreed, parse(as_bytes(policy(hold_min_s=3 * 86400)))) == 3 * 86400


def test_a_yes_covers_exactly_what_was_said() -> None:
    """One kind was agreed to: the receipt names that kind on that surface, and the marks of holes; nothing else."""
    begun = asking(POLICY)
    only = receipt(begun, yes(begun, kinds=frozenset({Kind.KEY_CHORD})), receipt_id="00", wall_ms=1)
    assert {(grant.surface, grant.kind) for grant in only.grants} == {
        (SurfaceId("editor"), Kind.KEY_CHORD),
        (None, Kind.GAP),
        (None, Kind.CONTROL),
    }


def test_a_yes_needs_the_code_of_the_indicator() -> None:
    """A wrong code is refused, three wrong ones end the asking, and so does time."""
    begun = asking(POLICY)
    for _ in range(3):
        with pytest.raises(CannotDo, match="not the code"):
            begun.check(yes(begun, code="000000"), NOW.awake_ms)
    with pytest.raises(CannotDo, match="no longer good"):
        begun.check(yes(begun), NOW.awake_ms)
    with pytest.raises(CannotDo, match="no longer good"):
        asking(POLICY).check(yes(begun), NOW.awake_ms + 10 * 60_000)
    asking(POLICY).check(yes(begun), NOW.awake_ms + 1000)


@pytest.mark.parametrize(
    "wrong",
    [
        {"purposes": frozenset()},
        {"purposes": frozenset({Purpose("performance-review")})},
        {"kinds": frozenset()},
        {"kinds": frozenset({Kind.TYPING_BURST})},
        {"notice_sha256": "00"},
    ],
)
def test_a_yes_to_what_was_not_offered_is_refused(wrong: dict[str, object]) -> None:
    """No purpose, a foreign purpose, no kind, a kind that was not asked for, or another notice: no consent."""
    begun = asking(POLICY)
    with pytest.raises(CannotDo):
        begun.check(yes(begun, **wrong), NOW.awake_ms)


def test_the_code_is_not_in_the_asking_s_repr() -> None:
    """INV-22: a traceback cannot show the code."""
    assert "123456" not in repr(asking(POLICY))


def test_the_notice_names_what_matters() -> None:
    """Who asks, what for, who opens it, for how long, where, how to stop, and what never happens; in 80 columns."""
    written = text(POLICY, ENTRIES, DEFAULT_HOLD_S)
    assert max(len(line) for line in written.splitlines()) <= COLUMNS
    notice = " ".join(written.split())
    for needed in ("Example Ltd", "2 of 3 custodians", "30 days", "Editor", "volens consent withdraw", "Never", "24 hours"):
        assert needed in notice
