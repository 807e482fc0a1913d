"""Who has the focus, against a bus that answers from a table: whose word counts, and what happens when nobody speaks."""

from collections.abc import Callable
from typing import Any

import pytest
from jeepney import HeaderFields

from collectors.backends.atspi import LATE_MS, LOST_MS, RETRY_MS, STARTING_MS, Accessibility
from collectors.backends.bus import BusGoneError, Heard, Steps
from consent.event import FieldRole
from consent.vocabulary import Kind, Why
from tests.collectors.stage import EDITOR, GEOMETRY, Stage

EDITOR_PID, OTHER_PID = 100, 200
EDITOR_NAME, OTHER_NAME = ":1.7", ":1.8"
ROOT, ENTRY, SECRET = "/org/a11y/atspi/accessible/root", "/entry", "/secret"
TEXT, PASSWORD = 61, 40


class FakeBus:
    """Answers at once, from a table by member, path and arguments that are text; what is not there fails."""

    def __init__(self, answers: dict[tuple, tuple | None], heard: Heard) -> None:
        self.answers, self.heard, self.gone = answers, heard, False
        self.behind = False
        self.asked: list[tuple] = []

    def fileno(self) -> int:
        return 0

    def close(self) -> None:
        self.gone = True

    def pump(self) -> None:
        if self.gone:
            raise BusGoneError("closed the connection")

    def run(self, steps: Steps) -> None:
        self.pump()
        try:
            message = next(steps)
            while True:
                message = steps.send(self._answer(message))
        except StopIteration:
            return

    def _answer(self, message: Any) -> tuple | None:
        fields = message.header.fields
        said = [text for text in message.body or () if isinstance(text, str)]
        whole = (fields[HeaderFields.member], fields[HeaderFields.path], *said)
        self.asked.append(whole)
        keys = [whole[:length] for length in range(len(whole), 0, -1)]
        return next((self.answers[key] for key in keys if key in self.answers), None)


class Desk:
    """The editor in front, its accessibility, and the answers that everyone gives."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **more: tuple | None) -> None:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/session")
        self.stage = Stage()
        self.answers: dict[tuple, tuple | None] = {
            ("GetAddress",): ("unix:path=/a11y",),
            ("Set",): (),
            ("RegisterEvent",): (),
            ("AddMatch",): (),
            ("GetChildren", ROOT): ([(EDITOR_NAME, "/window")],),
            ("GetConnectionUnixProcessID", "/org/freedesktop/DBus", EDITOR_NAME): (EDITOR_PID,),
            ("GetConnectionUnixProcessID", "/org/freedesktop/DBus", OTHER_NAME): (OTHER_PID,),
            ("GetState", "/window"): ([1 << 1, 0],),
            ("GetMatches", "/window"): ([(EDITOR_NAME, ENTRY)],),
            ("GetRole", ENTRY): (TEXT,),
            ("GetRole", SECRET): (PASSWORD,),
        }
        self.answers |= {(name,): answer for name, answer in more.items()}
        self.buses: list[FakeBus] = []
        self.told = ""
        self.accessibility = Accessibility(
            lambda: self.stage.now, self.stage.shaper, self._connect, window=lambda: GEOMETRY, told=lambda: self.told
        )
        self.accessibility.open()
        self.accessibility.pump()
        self.stage.front(EDITOR)
        self.accessibility.watch(EDITOR_PID)
        self.later(300)

    def _connect(self, address: str, heard: Callable) -> FakeBus:
        self.buses.append(FakeBus(self.answers, heard))
        return self.buses[-1]

    def later(self, ms: int) -> None:
        self.stage.later(ms)
        self.accessibility.pump()

    def focus(self, name: str, path: str, gained: bool = True) -> None:
        self.buses[-1].heard(name, path, "StateChanged", ("focused", int(gained), 0, ("i", 0), {}))
        self.later(1)

    def strike(self) -> Why | None:
        """What becomes of Enter now: None if it is kept."""
        self.stage.told.clear()
        self.stage.strike("Return")
        self.stage.settle()
        kept = any(event.kind is Kind.KEY_NAMED for message in self.stage.told for event in message.events)
        (why,) = [None] if kept else self.stage.dropped
        return why


def test_what_has_the_focus_already_is_found_by_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    """No event is needed."""
    assert Desk(monkeypatch).strike() is None


def test_the_focus_moving_to_a_password_field_refuses_keys_until_it_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    """And back again."""
    desk = Desk(monkeypatch)
    desk.focus(EDITOR_NAME, SECRET)
    assert desk.strike() is Why.SECURE_FIELD
    desk.focus(EDITOR_NAME, ENTRY)
    assert desk.strike() is None


def test_the_word_of_another_process_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither known before nor met for the first time can it make the password field of the one in front a text field."""
    desk = Desk(monkeypatch)
    desk.focus(EDITOR_NAME, SECRET)
    for _ in range(2):
        desk.focus(OTHER_NAME, ENTRY)
        assert desk.strike() is Why.SECURE_FIELD


def test_after_the_focus_was_lost_and_nobody_got_it_the_application_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unknown at once; known again when it was asked."""
    desk = Desk(monkeypatch)
    desk.focus(EDITOR_NAME, ENTRY)
    desk.focus(EDITOR_NAME, ENTRY, gained=False)
    assert desk.accessibility.due_ms() is not None
    desk.stage.strike("Return")
    desk.later(LOST_MS)
    desk.stage.settle()
    assert desk.strike() is None


def test_an_application_without_a_search_of_its_own_is_walked_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """Object by object; what is not on the screen is not entered."""
    desk = Desk(monkeypatch, GetMatches=None)
    del desk.answers["GetMatches", "/window"]
    showing, focused = 1 << 25, 1 << 12
    desk.answers |= {
        ("GetChildren", "/window"): ([(EDITOR_NAME, "/hidden"), (EDITOR_NAME, "/panel")],),
        ("GetState", "/hidden"): ([0, 0],),
        ("GetState", "/panel"): ([showing, 0],),
        ("GetChildren", "/panel"): ([(EDITOR_NAME, SECRET)],),
        ("GetState", SECRET): ([showing | focused, 0],),
    }
    desk.accessibility.watch(EDITOR_PID)
    desk.later(1)
    assert desk.strike() is Why.SECURE_FIELD


def test_in_gtk_4_what_could_be_on_the_screen_is_entered(monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not say what is; its objects' paths are the application's own."""
    desk = Desk(monkeypatch, GetMatches=None)
    del desk.answers["GetMatches", "/window"]
    visible, focused = 1 << 30, 1 << 12
    for path, role, why in (("/org/gtk/App/a11y/", ENTRY, None), ("/org/a11y/atspi/accessible/", ENTRY, Why.ROLE_UNKNOWN)):
        desk.answers |= {
            ("GetChildren", "/window"): ([(EDITOR_NAME, path + "panel")],),
            ("GetState", path + "panel"): ([visible, 0],),
            ("GetChildren", path + "panel"): ([(EDITOR_NAME, role)],),
            ("GetState", role): ([visible | focused, 0],),
        }
        desk.stage.front(EDITOR)
        desk.stage.shaper.focused(desk.stage.now)
        desk.later(300)
        desk.accessibility.watch(EDITOR_PID)
        desk.later(300)
        assert desk.strike() is why


@pytest.mark.parametrize("silent", ["GetRole", "GetState", "GetChildren", "GetConnectionUnixProcessID"])
def test_an_application_that_does_not_answer_keeps_its_role_unknown(monkeypatch: pytest.MonkeyPatch, silent: str) -> None:
    """Whatever the question."""
    desk = Desk(monkeypatch)
    desk.answers |= {key: None for key in desk.answers if key[0] == silent}
    desk.accessibility.watch(0)
    desk.stage.front(EDITOR)
    desk.accessibility._pids.clear()
    desk.accessibility.watch(EDITOR_PID)
    desk.stage.shaper.focused(desk.stage.now)
    desk.later(1)
    assert desk.strike() is Why.ROLE_UNKNOWN


@pytest.mark.parametrize(
    ("missing", "words"),
    [("GetAddress", "no accessibility service"), ("RegisterEvent", "registry does not answer"), ("AddMatch", "does not tell of focus")],
)
def test_a_service_that_is_half_there_is_said_to_be(monkeypatch: pytest.MonkeyPatch, missing: str, words: str) -> None:
    """With its reason; and no key is kept."""
    desk = Desk(monkeypatch, **{missing: None})
    assert words in desk.accessibility.trouble
    assert desk.accessibility.sources() == []
    assert desk.strike() is Why.ROLE_UNKNOWN


def test_a_service_that_is_not_there_is_looked_for_less_and_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """After one second, two, four, eight, and then every ten; one that was there for long is looked for soon."""
    desk = Desk(monkeypatch)
    for _ in range(2):
        desk.later(RETRY_MS)
        desk.buses[-1].close()
        desk.answers["GetAddress",] = None
        desk.later(1)
        for wait_ms in (1_000, 2_000, 4_000, 8_000, 10_000, 10_000):
            assert desk.accessibility.due_ms() == desk.stage.ms + wait_ms
            made = len(desk.buses)
            desk.later(wait_ms - 1)
            assert len(desk.buses) == made
            desk.later(1)
            assert len(desk.buses) == made + 1
        desk.answers["GetAddress",] = ("unix:path=/a11y",)
        desk.later(RETRY_MS)
        desk.later(1)
        assert desk.accessibility.trouble == ""


def test_a_service_that_goes_away_is_looked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the same window or with the next; but not while none is in front whose keys could be kept."""
    desk = Desk(monkeypatch)
    desk.buses[-1].close()
    desk.later(1)
    assert "ended" in desk.accessibility.trouble
    made = len(desk.buses)
    desk.accessibility.watch(EDITOR_PID)
    assert len(desk.buses) == made
    desk.accessibility.watch(0)
    assert desk.strike() is Why.ROLE_UNKNOWN
    assert desk.accessibility.due_ms() is None
    desk.later(10_000)
    assert len(desk.buses) == made
    desk.accessibility.watch(EDITOR_PID)
    desk.later(1)
    assert (desk.accessibility.trouble, desk.strike()) == ("", None)
    desk.buses[-1].close()
    desk.later(1)
    assert desk.accessibility.due_ms() is not None
    desk.later(10_000)
    desk.later(1)
    assert (desk.accessibility.trouble, desk.strike()) == ("", None)


def test_applications_that_are_sent_elsewhere_are_not_heard_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stale AT_SPI_BUS: no events, no error. Noticed at once when it changes, and over when it is right again."""
    desk = Desk(monkeypatch)
    for said, is_right in (
        ("unix:path=/a11y,guid=1", True),
        ("unix:path=/gone", False),
        ("", True),
        ("unix:path=/other;unix:path=/a11y", True),
        ("unix:abstract=/a11y", False),
    ):
        desk.told = said
        desk.accessibility.changed()
        desk.later(1)
        assert ("stale AT_SPI_BUS" in desk.accessibility.trouble) is not is_right, said
        assert (desk.accessibility.trouble == "") is is_right
        assert desk.strike() is (None if is_right else Why.ROLE_UNKNOWN)


def test_a_registry_that_ends_is_said_and_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Applications that start without it would not know that anybody listens. Only the bus itself is believed."""
    desk = Desk(monkeypatch)
    heard = desk.buses[-1].heard
    heard(OTHER_NAME, "/org/freedesktop/DBus", "NameOwnerChanged", ("org.a11y.atspi.Registry", ":1.2", ""))
    heard("org.freedesktop.DBus", "/org/freedesktop/DBus", "NameOwnerChanged", ("org.other", ":1.2", ""))
    assert desk.accessibility.trouble == ""
    heard("org.freedesktop.DBus", "/org/freedesktop/DBus", "NameOwnerChanged", ("org.a11y.atspi.Registry", ":1.2", ""))
    assert "registry ended" in desk.accessibility.trouble
    assert desk.strike() is Why.ROLE_UNKNOWN
    desk.later(10_000)
    desk.later(1)
    assert (desk.accessibility.trouble, desk.strike()) == ("", None)


def test_no_two_faults_are_told_in_the_same_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reads the state knows what to look at."""
    words = {Desk(monkeypatch, **{missing: None}).accessibility.trouble for missing in ("GetAddress", "RegisterEvent", "AddMatch")}
    desk = Desk(monkeypatch)
    for fault in ("close", "elsewhere", "registry", "no bus"):
        desk.told = "unix:path=/gone" if fault == "elsewhere" else ""
        if fault == "no bus":
            monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS")
            monkeypatch.setenv("XDG_RUNTIME_DIR", "/nonexistent")
        if fault == "close":
            desk.buses[-1].close()
            desk.later(1)
        elif fault == "registry":
            desk.buses[-1].heard("org.freedesktop.DBus", "/", "NameOwnerChanged", ("org.a11y.atspi.Registry", ":1.2", ""))
        else:
            desk.accessibility.open()
        words.add(desk.accessibility.trouble)
        if fault != "no bus":
            desk.told = ""
            desk.accessibility.open()
            assert desk.accessibility.trouble == ""
    assert len(words) == 7
    assert all(word.endswith("; keys are not kept") for word in words)


def test_a_service_that_is_slow_to_start_is_given_up_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says that it is starting, and after five seconds that it does not answer."""
    monkeypatch.setattr(FakeBus, "run", lambda self, steps: None)
    desk = Desk(monkeypatch)
    assert "starting" in desk.accessibility.trouble
    assert desk.accessibility.due_ms() is not None
    desk.later(STARTING_MS)
    assert "does not answer" in desk.accessibility.trouble
    desk.accessibility.watch(0)
    assert desk.accessibility.due_ms() is None


def test_what_is_left_of_a_flood_is_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing more need come for it."""
    desk = Desk(monkeypatch)
    desk.buses[-1].behind = True
    assert desk.accessibility.due_ms() == desk.stage.ms
    desk.buses[-1].behind = False
    assert desk.accessibility.due_ms() is None


def test_while_a_flood_keeps_the_news_from_us_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """News of a password field may lie behind it; older news and answers do not count. After it, who has the focus is asked."""
    desk = Desk(monkeypatch)
    bus = desk.buses[-1]
    bus.behind = True
    desk.later(1)
    desk.later(LATE_MS - 1)
    assert desk.strike() is None
    desk.later(1)
    assert desk.strike() is Why.ROLE_UNKNOWN
    desk.focus(EDITOR_NAME, ENTRY)
    assert desk.strike() is Why.ROLE_UNKNOWN
    desk.accessibility.watch(EDITOR_PID)
    assert desk.strike() is Why.ROLE_UNKNOWN
    desk.answers["GetMatches", "/window"] = ([(EDITOR_NAME, SECRET)],)
    bus.behind = False
    desk.later(300)
    assert desk.strike() is Why.SECURE_FIELD


def test_roles_are_those_of_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    """The burst says what it was typed into."""
    desk = Desk(monkeypatch)
    desk.answers["GetRole", ENTRY] = (79,)
    desk.focus(EDITOR_NAME, ENTRY)
    desk.stage.told.clear()
    desk.stage.strike("a")
    (event,) = [event for event in desk.stage.settle() if event.kind is Kind.TYPING_BURST]
    assert event.payload.role is FieldRole.ENTRY
