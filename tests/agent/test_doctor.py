"""`volens doctor` says how it stands, changes nothing, and names the line of a ledger that is wrong."""

import json
from pathlib import Path

import msgspec
import pytest

from agent import doctor
from agent.doctor import CHECKS, Level, examine
from agent.places import Places
from agent.reach import Reach
from agent.status import CollectorPart
from agent.subject import Subject
from collectors.backends.linux_x11 import LinuxX11
from collectors.backends.x11_clipboard import NOT_THERE
from consent.ledger import RESERVE_BYTES
from consent.vocabulary import Kind
from tests.agent.people import BOOT, at, say_yes
from tests.commands import LONGEST_S, Place, run, start


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Somebody who said yes, paused and resumed: four lines in the ledger, no daemon."""
    made = Place(tmp_path)
    made.state.mkdir(mode=0o700, parents=True)
    places = places_of(made)
    places.prepare()
    subject = Subject(places, BOOT, at(0))
    say_yes(subject, at(0))
    subject.pause(30, at(1))
    subject.resume(at(2))
    subject.close()
    return made


def places_of(place: Place) -> Places:
    return Places(place.state, place.folder / "run" / "volens")


def found(place: Place, **env: str) -> dict[str, tuple[Level, str, str]]:
    """What an examination finds, by name."""
    return {check.name: (check.level, check.words, check.do) for check in examine(places_of(place), env)}


def test_every_check_says_what_and_what_to_do(place: Place) -> None:
    """One line each; whatever is not in order says what to do; JSON says the same."""
    checks = examine(places_of(place), {})
    assert all(check.do for check in checks if check.level is not Level.OK)
    assert all("\n" not in f"{check.words}{check.do}" for check in checks)
    assert {"state", "ledger", "keys", "receiver", "daemon", "display", "fields"} <= {check.name for check in checks}
    printed = json.loads(run(place, ["volens", "doctor", "--json"]).out)
    assert {each["name"] for each in printed} == {check.name for check in checks}
    assert set(printed[0]) == {"name", "level", "words", "do"}


def test_an_ordinary_ledger_holds(place: Place) -> None:
    """Its lines are counted, and its end is known."""
    assert found(place)["ledger"] == (Level.OK, "4 lines, the last of 2027-01-15 08:02 UTC", "")
    done = run(place, ["volens", "doctor", "--verify"])
    assert (done.code, done.out, done.err) == (0, "The ledger holds: 4 lines, the last of 2027-01-15 08:02 UTC.\n", "")


@pytest.mark.parametrize("line", [1, 2, 3, 4])
@pytest.mark.parametrize("fault", ["changed", "removed"])
def test_the_wrong_line_is_named_and_nothing_is_mended(place: Place, line: int, fault: str) -> None:
    """One word changed, or the line gone, the last one, too: exit 1, one line that names it; the file stays as it was."""
    ledger = place.state / "ledger"
    lines = ledger.read_bytes().splitlines(keepends=True)
    lines[line - 1] = lines[line - 1].replace(b'"what":"', b'"what":"x', 1) if fault == "changed" else b""
    ledger.write_bytes(b"".join(lines))
    done = run(place, ["volens", "doctor", "--verify"])
    assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)
    assert done.err.startswith(f"volens: line {line} of the ledger was ")
    assert ledger.read_bytes() == b"".join(lines)
    assert found(place)["ledger"][0] is Level.BAD


def test_a_ledger_that_was_set_aside_is_verified_where_it_lies(place: Place) -> None:
    """After a broken ledger and a no: doctor tells of the old one, and verifies it; the new one holds."""
    ledger = place.state / "ledger"
    ledger.write_bytes(ledger.read_bytes().replace(b'"what":"pause', b'"what":"pawse', 1))
    assert run(place, ["volens", "consent", "withdraw"]).code == 0
    (old,) = place.state.glob("ledger.broken-*")
    done = run(place, ["volens", "doctor", "--verify", str(old)])
    assert (done.code, done.err.split(" of the")[0]) == (1, "volens: line 3")
    assert run(place, ["volens", "doctor", "--verify"]).code == 0
    assert any(check.name == "ledger" and old.name in check.words for check in examine(places_of(place), {}))


def test_beside_a_running_daemon_it_reads_and_does_not_disturb(place: Place) -> None:
    """The daemon goes on; its words, its policy and what tells of a lock are said."""
    daemon = start(place)
    try:
        said = found(place)
        assert said["daemon"][0] is Level.OK
        assert said["icon"][0] is Level.WARN
        assert any("counts as unlocked" in check.words for check in examine(places_of(place), {}) if check.name == "session")
        assert run(place, ["volens", "doctor", "--verify"]).code == 0
        assert daemon.poll() is None
    finally:
        daemon.terminate()
        daemon.wait(LONGEST_S)


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":0"}, "Wayland"),
        ({"XDG_SESSION_TYPE": "wayland"}, "Wayland"),
        ({}, "there is none"),
        ({"DISPLAY": ":7"}, "X11 (:7)"),
    ],
)
def test_the_kind_of_session_is_said(place: Place, env: dict[str, str], words: str) -> None:
    """Where nothing can be observed it says so, and never calls that a fault."""
    level, said, _ = found(place, **env)["display"]
    assert words in said
    assert level is (Level.OK if words.startswith("X11") else Level.WARN)


def test_what_is_not_in_order_is_bad_or_a_warning(place: Place) -> None:
    """Open modes, wrong settings, no reserve, no receiver: each under its name, with what to do."""
    assert found(place)["receiver"][0] is Level.WARN
    (place.state / "agent.toml").write_text("colour = 1\n")
    (place.state / "agent.toml").chmod(0o600)
    assert found(place)["settings"][0] is Level.BAD
    (place.state / "agent.toml").write_text('receiver = "https://example.org"\ndaily_notice = true\n')
    assert "not enrolled; not asked now" in found(place)["receiver"][1]
    assert "each day" in found(place)["notice"][1]
    assert (place.state / "ledger.reserve").stat().st_size == RESERVE_BYTES
    (place.state / "hold").chmod(0o755)
    level, words, do = found(place)["state"]
    assert (level, "can be reached by others" in words, do.startswith("run: chmod 700")) == (Level.BAD, True, True)


def test_a_check_is_one_function_in_one_list(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is added to CHECKS is said; nothing else has to be changed."""
    monkeypatch.setattr(doctor, "CHECKS", (*CHECKS, lambda ground: iter([doctor.Check("more", Level.WARN, "cannot be told here", "look")])))
    assert found(place)["more"] == (Level.WARN, "cannot be told here", "look")


def test_a_file_without_verify_is_a_question(place: Place) -> None:
    """Usage: one line, exit 2. A file that is not there: one line, exit 1."""
    assert run(place, ["volens", "doctor", "somewhere"]).code == 2
    done = run(place, ["volens", "doctor", "--verify", "somewhere"])
    assert (done.code, done.err) == (1, "volens: somewhere is not there; name a ledger: volens doctor --verify FILE\n")


def ground_of(place: Place, *collectors: CollectorPart, why: tuple[str, ...] = ()) -> doctor.Ground:
    """A running daemon, of which the status tells this."""
    told = msgspec.structs.replace(Reach(places_of(place)).status(), running=True, collectors=collectors, why=why)
    return doctor.Ground(places_of(place), None, told, {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/nowhere"})


def of_collectors(ground: doctor.Ground) -> dict[str, tuple[Level, str, str]]:
    """What is found of observer and collectors, by name."""
    looks = (doctor._observer, doctor._windows, doctor._collectors, doctor._roles)
    return {check.name: (check.level, check.words, check.do) for look in looks for check in look(ground)}


@pytest.mark.parametrize(
    ("blocker", "why", "words", "do"),
    [
        ("observer_failing", "it ended; it is started again", "it ended", "it is started again"),
        ("observer_failing", "a; b; try: volens resume", "a; b", "try: volens resume"),
        ("not_observable", "a Wayland session: by design; choose X11", "a Wayland session: by design", "choose X11; then: volens resume"),
        ("not_observable", "no RECORD", "no RECORD", "log in to an X11 session where it can be; then: volens resume"),
        ("display_gone", "the X server ended", "the X server ended", "it is waited for, and observed again when it is back"),
    ],
)
def test_a_dead_observer_is_told_whole_and_advised_by_its_blocker(place: Place, blocker: str, why: str, words: str, do: str) -> None:
    """No promise that it is started again where it is not, and no tree that answers."""
    found = of_collectors(ground_of(place, CollectorPart(Kind.KEY_NAMED, "dead", why), why=(blocker,)))
    assert found["observer"] == (Level.WARN, words, do)
    assert "answers" not in found["fields"][1]
    assert set(found) == {"observer", "fields"}


def test_no_window_manager_is_no_fault_of_the_accessibility_tree(place: Place) -> None:
    """In the words of the collectors themselves; nothing is said to answer."""
    backend = LinuxX11.__new__(LinuxX11)
    backend._says_which = False
    parts = [CollectorPart(kind, *backend._state(kind)) for kind in (Kind.KEY_NAMED, Kind.FOCUS)]
    found = of_collectors(ground_of(place, *parts))
    assert found["windows"][:2] == (Level.WARN, "no window manager says which window is in front: nothing is kept of any")
    assert (found["fields"][0], "answers" in found["fields"][1]) == (Level.OK, False)
    assert set(found) == {"windows", "fields"}


def test_a_tree_that_ails_is_told_though_only_items_are_of_it(place: Place) -> None:
    """`element` alone is enough; a live key beside nothing is what answers."""
    why = "the accessibility registry ended"
    level, words, do = of_collectors(ground_of(place, CollectorPart(Kind.ELEMENT, "degraded", why)))["fields"]
    assert (level, words, bool(do)) == (Level.WARN, f"{why}; it is needed for element", True)
    assert of_collectors(ground_of(place, CollectorPart(Kind.ELEMENT, "live", "")))["fields"][1] == "the accessibility tree answers"
    clicks = CollectorPart(Kind.POINTER_BUTTON, "live", "")
    assert "answers" not in of_collectors(ground_of(place, clicks))["fields"][1]


def test_a_clipboard_without_xfixes_is_no_dead_observer(place: Place) -> None:
    """It says so itself, under its own name."""
    dead, live = CollectorPart(Kind.CLIPBOARD, "dead", NOT_THERE), CollectorPart(Kind.KEY_NAMED, "live", "")
    found = of_collectors(ground_of(place, dead, live))
    assert found["clipboard"] == (Level.WARN, f"dead: {NOT_THERE}", "the other kinds go on")
    assert set(found) == {"clipboard", "fields"}
    assert found["fields"][1] == "the accessibility tree answers"
