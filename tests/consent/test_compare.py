"""The difference between two policies, in words; and that the agent, which works it out by itself, never records more."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import narrowing, permission
from agent.consenting import Asking, offer, receipt
from agent.messages import GiveConsent
from agent.permission import effective, hold_s
from consent.compare import Change, Direction, changes
from consent.history import Choice
from consent.policy import Policy, parse
from consent.receipt import ConsentReceipt
from consent.scope import SURFACELESS
from consent.vocabulary import Kind
from tests.agent.test_permission import OTHER_KEY
from tests.policies import as_bytes, policy, surface
from tests.register import REGISTER

EVERY_KIND = frozenset(Kind)
TERMS = policy()["purposes"][0]


def yes_to_all(published: Policy) -> ConsentReceipt:
    """The receipt of somebody who agreed to all of it."""
    asking = Asking(offer(published, REGISTER), published, "1", 0)
    given = GiveConsent("1", frozenset(asking.offer.purposes), frozenset(asking.offer.kinds) - SURFACELESS, asking.offer.notice_sha256)
    return receipt(asking, given, receipt_id="00", wall_ms=1)


def purpose(**changed: Any) -> dict[str, Any]:
    return policy(purposes=[TERMS | changed])


@pytest.mark.parametrize(
    ("new", "direction", "words"),
    [
        (policy(surfaces=[surface(kinds=["pointer_button", "key_chord", "focus"])]), Direction.WIDER, "also focus"),
        (policy(surfaces=[surface(kinds=["key_chord"])]), Direction.NARROWER, "no longer pointer_button"),
        (policy(surfaces=[surface(), surface(id="new", executables=["/usr/bin/gedit"])]), Direction.WIDER, "app new"),
        (policy(surfaces=[]), Direction.NARROWER, "no longer: app editor"),
        (
            policy(surfaces=[surface(executables=["/usr/bin/mousepad", "/usr/bin/keepassxc"])]),
            Direction.WIDER,
            "also stands for /usr/bin/keepassxc",
        ),
        (policy(surfaces=[surface(packages=["mousepad"])]), Direction.OTHER, "now only programs of the packages mousepad; it waits"),
        (policy(surfaces=[surface(hosts=["github.com"])]), Direction.OTHER, "now only the hosts github.com; it waits"),
        (policy(surfaces=[surface(name="Writer")]), Direction.OTHER, "is called Writer"),
        (policy(surfaces=[surface(category="browser")]), Direction.OTHER, "counts as browser"),
        (policy(controller="Else"), Direction.OTHER, "controller is Else"),
        (policy(receiver="http://127.0.0.1:10"), Direction.OTHER, "recipient is"),
        (policy(hold_min_s=1800), Direction.NARROWER, "hold is 30 minutes"),
        (policy(notice="daily"), Direction.NARROWER, "due on each day"),
        (purpose(retention_days=31), Direction.WIDER, "kept 31 days, and not 30"),
        (purpose(retention_days=29), Direction.NARROWER, "kept 29 days, and not 30"),
        (purpose(public_key=OTHER_KEY), Direction.WIDER, "another key opens it"),
        (purpose(title="Judge people"), Direction.OTHER, "called Judge people"),
        (purpose(readers="anybody"), Direction.OTHER, "opened by anybody"),
    ],
)
def test_each_difference_has_its_words(new: dict[str, Any], direction: Direction, words: str) -> None:
    """One change, one line, with its direction; in one line each, so that nothing can be hidden behind a break."""
    (change,) = changes(parse(as_bytes(policy())), parse(as_bytes(new)))
    assert change.direction is direction
    assert words in change.words
    assert "\n" not in change.words


def test_signers_see_which_labels_may_stay_readable() -> None:
    """In a first policy, and where an app comes or goes, not only where one is changed."""
    worded = surface(id="crm", executables=["/usr/bin/crm"], kinds=["element"], words=["Invoice"])
    new = parse(as_bytes(policy(surfaces=[surface(), worded])))
    old = parse(as_bytes(policy()))
    for found in (changes(None, new), changes(old, new), changes(new, old)):
        assert "; of its labels also: Invoice" in next(each.words for each in found if "app crm" in each.words)


def test_a_category_that_lets_keys_in_is_wider() -> None:
    """From mail to work: the app is where keys could be asked for."""
    old = policy(surfaces=[surface(category="mail", kinds=["focus"])])
    (change,) = changes(parse(as_bytes(old)), parse(as_bytes(policy(surfaces=[surface(kinds=["focus"])]))))
    assert change.direction is Direction.WIDER


@pytest.mark.parametrize("field", ["packages", "hosts"])
def test_other_packages_and_other_hosts_are_wider_or_wait(field: str) -> None:
    """One more, or any at all, is wider; one fewer is not what was agreed to, and waits. Each is off until a new yes."""
    one, two, none = ({field: ["a.example"]}, {field: ["a.example", "b.example"]}, {})
    for before, after, direction, words in (
        (one, two, Direction.WIDER, "also"),
        (one, none, Direction.WIDER, "but any"),
        (two, one, Direction.OTHER, "no longer"),
        (none, one, Direction.OTHER, "now only"),
    ):
        old, new = (parse(as_bytes(policy(surfaces=[surface(**each)]))) for each in (before, after))
        (change,) = changes(old, new)
        assert (change.direction, change.waits) == (direction, True)
        assert words in change.words
        agreed = yes_to_all(old)
        assert effective(agreed, old, EVERY_KIND).surfaces()
        assert not effective(agreed, new, EVERY_KIND).surfaces()


def test_a_notice_that_comes_less_often_is_wider_and_does_not_reach_those_who_were_promised_it_daily() -> None:
    """From daily to once: said to the signers and to the subject; whoever agreed to a daily notice still has it daily."""
    old, new = parse(as_bytes(policy(notice="daily"))), parse(as_bytes(policy(version=2)))
    (change,) = changes(old, new)
    assert (change.direction, change.waits) == (Direction.WIDER, True)
    agreed = yes_to_all(old)
    assert permission.is_daily(permission.Facts(Choice(), agreed, new))
    assert any("the notice only once" in line for line in narrowing.waits(agreed, new, EVERY_KIND))
    assert not permission.is_daily(permission.Facts(Choice(), yes_to_all(new), new))


def test_nothing_differs_from_itself() -> None:
    """The same policy under a new number: no change."""
    assert changes(parse(as_bytes(policy())), parse(as_bytes(policy(version=2)))) == ()


_SURFACES = st.lists(
    st.builds(
        surface,
        id=st.sampled_from(["editor", "files"]),
        executables=st.sampled_from([["/usr/bin/a"], ["/usr/bin/b"], ["/usr/bin/c", "/usr/bin/d"]]),
        category=st.sampled_from(["work", "browser"]),
        packages=st.sampled_from([None, ["aa"], ["a.b", "cc"]]),
        hosts=st.sampled_from([None, ["a.example"], ["*.a.example", "b.example"]]),
        kinds=st.lists(st.sampled_from(["pointer_button", "key_chord", "focus"]), min_size=1, max_size=3, unique=True),
    ),
    max_size=2,
    unique_by=(lambda each: each["id"], lambda each: each["executables"][0]),
)
_TERMS = st.builds(
    lambda **changed: TERMS | changed,
    retention_days=st.integers(29, 31),
    title=st.sampled_from(["Train", "Judge"]),
    readers=st.sampled_from(["two", "one"]),
    public_key=st.sampled_from([TERMS["public_key"], OTHER_KEY]),
)
_POLICIES = st.builds(
    lambda **parts: parse(as_bytes(policy(**parts))),
    controller=st.sampled_from(["Example Ltd", "Else"]),
    hold_min_s=st.sampled_from([900, 2 * 86400]),
    notice=st.sampled_from(["once", "daily"]),
    purposes=st.builds(lambda terms: [terms], _TERMS),
    surfaces=_SURFACES,
)


@given(_POLICIES, _POLICIES)
def test_the_agent_never_takes_a_widening_whatever_it_is_dressed_as(old: Policy, new: Policy) -> None:
    """For any two policies: what is observed under the new one was asked for by the old one; more only with a new yes.
    And where the words say that nothing is wider and nothing waits, exactly the new policy is observed."""
    agreed = yes_to_all(old) if old.surfaces else None
    if agreed is None:
        return
    seen = effective(agreed, new, EVERY_KIND)
    assert set(seen.grants) <= set(old.scope().grants) & set(new.scope().grants)
    assert hold_s(Choice(), agreed, new) >= hold_s(Choice(), agreed, old)
    assert permission.is_daily(permission.Facts(Choice(), agreed, new)) >= old.daily_notice
    found = changes(old, new)
    if not any(change.waits for change in found):
        assert dict(seen.grants) == dict(new.scope().grants)
    if not any(change.direction is Direction.WIDER for change in found):
        assert not set(new.scope().grants) - set(old.scope().grants)


def test_a_widening_dressed_as_a_narrowing_is_seen_by_both() -> None:
    """Two kinds fewer, and behind the same name a password store instead of the editor; or the same key under a purpose that judges."""
    old = parse(as_bytes(policy(surfaces=[surface(kinds=["pointer_button", "key_chord", "focus"])])))
    dressed = parse(as_bytes(policy(surfaces=[surface(kinds=["key_chord"], executables=["/usr/bin/keepassxc"])])))
    judging = parse(
        as_bytes(policy(surfaces=[surface(kinds=["focus"])], purposes=[TERMS | {"title": "Judge people", "retention_days": 1}]))
    )
    agreed = yes_to_all(old)
    for new in (dressed, judging):
        assert not effective(agreed, new, EVERY_KIND).surfaces()
        assert any(isinstance(change, Change) and change.waits for change in changes(old, new))
    assert permission.effective(agreed, old, EVERY_KIND).surfaces()
