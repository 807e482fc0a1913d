"""What is printed from the policy in force: the record, the assessment, the notice, and what a policy would do with recorded events."""

import json
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import pytest

from agent import show
from consent.event import (
    PAYLOADS,
    Bucket,
    Button,
    Clipboard,
    Control,
    Element,
    EndedBy,
    Event,
    FieldRole,
    Focus,
    Gap,
    KeyChord,
    KeyNamed,
    Modifier,
    NamedKey,
    PointerButton,
    PointerPath,
    PointerScroll,
    SecureInput,
    Switch,
    TypingBurst,
)
from consent.policy import Policy, parse
from consent.vocabulary import Kind
from consent.words import ChosenBy, ClipboardAct, ClipboardKind, ElementRole, PathPurpose, SizeBucket
from receiver import policy_record, policy_simulate
from receiver.errors import ReceiverError
from receiver.policy_reading import check_retention
from tests.agent.people import at, clicks
from tests.policies import as_bytes, policy, surface
from tests.register import REGISTER

PLACES = files("receiver").joinpath("places.toml").read_text("utf-8")
POLICY: Policy = parse(as_bytes(policy(surfaces=[surface(kinds=[kind.value for kind in Kind if kind not in ("gap", "control")])])))
SAMPLES = {
    each.kind: each
    for each in (
        PointerButton(3, 4, Button.LEFT, True),
        PointerScroll(3, 4, 0, -1),
        PointerPath(PathPurpose.DRAG, (0, 40), (3, 5), (4, 6)),
        KeyNamed(NamedKey.ENTER, False),
        KeyChord((Modifier.CTRL, Modifier.SHIFT), "s"),
        TypingBurst(4, Bucket.FEW, Bucket.NONE, EndedBy.ENTER, FieldRole.ENTRY),
        SecureInput(),
        Focus(0, 0, 900, 700, 1920, 1080),
        Element(ElementRole.MENU_ITEM, 3, 0, 0, 90, 20, ChosenBy.CLICK, "Save As..."),
        Clipboard(ClipboardAct.COPY, (ClipboardKind.TEXT,), SizeBucket.HUNDREDS),
        Gap(),
        Control(Switch.STARTED),
    )
}
WANTED = {
    "eu": ("Art. 35",),
    "de": ("BetrVG section 87(1) no. 6", "Art. 35", "works council"),
    "uk": ("ICO", "keystrokes", "impact assessment"),
    "ny": ("52-c", "acknowledge", "Post it"),
    "ct": ("31-48d", "conspicuous"),
    "delaware": ("705", "at least once on each day", "acknowledged"),
    "ca": ("notice at collection", "1798.100"),
}


def papers(place: str, published: Policy = POLICY) -> str:
    basis = policy_record.Basis(
        published, REGISTER, ("privacy-officer", "employees-representative"), "DAY", policy_record.profile(PLACES, place)
    )
    return policy_record.whole(basis)


def flat(text: str) -> str:
    return " ".join(text.split())


def test_every_place_is_known_and_asks_for_what_its_law_does() -> None:
    """Each place has its sources and its way of giving notice; Germany has the works council and the Union's rules."""
    assert set(policy_record.names(PLACES)) == set(WANTED)
    for place, words in WANTED.items():
        text = flat(papers(place))
        assert all(each in text for each in words), place
        assert text.count("DRAFT, not legal advice") == 3


def test_the_papers_say_how_often_the_notice_comes() -> None:
    """Where the strictest form is a daily notice, a policy that shows it once is told so; one that shows it daily is not."""
    daily = parse(as_bytes(policy(notice="daily")))
    advice = 'set "notice": "daily"'
    assert [advice in flat(papers(place)) for place in ("delaware", "atlantis", "eu")] == [True, True, False]
    assert "once, before a yes" in flat(papers("delaware"))
    assert "on each day, before anything is recorded" in flat(papers("delaware", daily))
    assert advice not in flat(papers("delaware", daily))


@pytest.mark.parametrize("place", ["", "atlantis", "de\n", "__class__"])
def test_an_unknown_place_gets_the_strictest_of_all(place: str) -> None:
    """Everything that any known place asks for."""
    text = flat(papers(place))
    assert all(each in text for words in WANTED.values() for each in words)


def test_every_field_reader_and_retention_is_in_the_record() -> None:
    """From the code: each payload's fields, each kind's what, why and never, the readers, the days, the programs. Nothing of a kind that
    is not asked for."""
    text = flat(papers("eu"))
    for payload in PAYLOADS:
        entry = REGISTER[payload.kind]
        for words in (*payload.__struct_fields__, entry.what, entry.why, entry.never):
            assert flat(words) in text, payload.kind
        fields = f"{payload.kind}: {', '.join(payload.__struct_fields__) or 'no further field'} (sensitivity"
        assert fields in text
    for words in ("2 of 3 custodians", "30 days", "/usr/bin/mousepad", "http://127.0.0.1:9", "Example Ltd", "privacy-officer"):
        assert words in text
    assert "typing_burst" not in papers("eu", parse(as_bytes(policy())))


def test_a_purpose_keeps_nothing_longer_than_the_register_says() -> None:
    """365 days in the register: a policy of 366 is not proposed."""
    terms = policy()["purposes"][0]
    check_retention(parse(as_bytes(policy(purposes=[terms | {"retention_days": 365}]))))
    with pytest.raises(ReceiverError, match="for 366 days, and the register allows 365"):
        check_retention(parse(as_bytes(policy(purposes=[terms | {"retention_days": 366}]))))


def lines(*events: Event) -> list[bytes]:
    """As `volens show --json` prints them."""
    return [json.dumps(show.plain(event)).encode() for event in events]


def rows(published: dict[str, Any], stream: list[bytes]) -> list[tuple[str, str, str, int]]:
    return [(row.surface, row.kind.value, row.outcome, row.events) for row in policy_simulate.simulate(parse(as_bytes(published)), stream)]


def test_what_a_policy_would_keep_is_decided_by_the_gate() -> None:
    """Kept under a policy that asks for it; refused under its reason where app or kind are not asked for."""
    stream = lines(*(each.event for each in clicks(1, 2, 3)))
    assert rows(policy(), stream) == [("editor", "pointer_button", "kept", 3)]
    assert rows(policy(surfaces=[surface(kinds=["key_chord"])]), stream) == [("editor", "pointer_button", "kind_not_consented", 3)]
    elsewhere = policy(surfaces=[surface(id="files")])
    assert rows(elsewhere, stream) == [("editor", "pointer_button", "surface_not_allowed", 3)]
    mixed = policy(surfaces=[surface(kinds=["focus"]), surface(id="files", executables=["/b"])])
    assert rows(mixed, [*stream, b"\n"]) == [("editor", "pointer_button", "not_in_scope", 3)]


@pytest.mark.parametrize("kind", list(PAYLOADS), ids=lambda payload: payload.kind.value)
def test_every_kind_can_be_read_back(kind: Any) -> None:
    """What `show` prints of each kind, from the register's payloads, is read as the event that it was."""
    event = Event(None if kind.kind in ("gap", "control") else "editor", 1, at(1), 1, 1, SAMPLES[kind.kind])  # type: ignore[arg-type]
    (row,) = policy_simulate.simulate(POLICY, lines(event))
    assert (row.kind, row.outcome) == (kind.kind, "kept")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda line: line[:-3],
        lambda line: b"[]",
        lambda line: b"nonsense",
        lambda line: b"\xff",
        lambda line: b'{"a":' * 5000,
        lambda line: line.replace(b"pointer_button", b"keylogger"),
        lambda line: line.replace(b'"x": 3', b'"x": 99999999'),
        lambda line: line.replace(b'"x": 3', b'"x": NaN'),
        lambda line: line.replace(b'"x": 3, ', b""),
        lambda line: line.replace(b'"x": 3', b'"x": 3, "title": "secret"'),
        lambda line: line.replace(b'"surface": "editor"', b'"surface": 7'),
        lambda line: line.replace(b'"n": 1', b'"n": -1'),
        lambda line: line.replace(b"T", b" at "),
    ],
)
def test_a_line_that_is_no_event_is_named_and_not_repeated(spoil: Callable[[bytes], bytes]) -> None:
    """The second line: its number, nothing of what is in it."""
    (line,) = lines(clicks(1)[0].event)
    broken = spoil(line)
    assert broken != line
    with pytest.raises(ReceiverError, match="line 2 of the events") as caught:
        policy_simulate.simulate(POLICY, [line, broken])
    assert "secret" not in str(caught.value)


def test_the_table_adds_up() -> None:
    """Its last line is the sum of the others."""
    stream = lines(*(each.event for each in clicks(1, 2)))
    assert list(policy_simulate.table(policy_simulate.simulate(POLICY, stream)))[-1].split() == [
        "2",
        "events:",
        "2",
        "kept,",
        "0",
        "refused",
    ]


def test_labels_that_stay_readable_stand_in_the_papers() -> None:
    """With the app, in the record, in the assessment and in the notice to post; an app without such words has no such phrase."""
    worded = parse(as_bytes(policy(surfaces=[surface(kinds=["element"], words=["Invoice", "Approve"])])))
    assert flat(papers("eu", worded)).count("element; of its labels also: Invoice, Approve") == 3
    assert "of its labels also" not in flat(papers("eu"))
