"""Nothing that is secret around the agent is in anything that it writes, sends or logs: not as text, not as keycodes, in no encoding.

The whole agent, live: typed text, password prompts (GTK, a web form, `read -s` in a terminal), programs where what is typed is the content
(mail, chat, assistant), window titles, addresses, the clipboard, notifications. In soak with more than 10,000 characters and every write of
every process of the agent under strace; in the test of every day a seeded short form.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from agent.demo.clock import rest
from agent.demo.policy import Application
from agent.demo.trial import executable
from agent.demo.wait import until
from collectors.backends.documents import OLDEST
from consent.vocabulary import Why
from tests.live.browsers import firefox, firefox_number
from tests.secrets.calls import opened, written
from tests.secrets.form import a_form
from tests.secrets.room import Room, a_room

pytestmark = pytest.mark.live
Record = Callable[[str, object], None]
EDITOR, DIALOG, TERMINAL, BROWSER = "editor", "dialog", "terminal", "site"
HOST = "forms.example"


def applications(editor: str = "work", dialog: str = "work") -> list[Application]:
    """What is asked for: an editor and a dialog of these categories, and a terminal."""
    return [
        Application(EDITOR, "Editor", executable("mousepad"), editor),
        Application(DIALOG, "Dialog", executable("zenity"), dialog),
        Application(TERMINAL, "Terminal", executable("xterm"), "terminal"),
        Application(BROWSER, "A site", "/usr/lib/firefox-esr/firefox-esr", hosts=(HOST,)),
    ]


# --- the scenes --------------------------------------------------------------------------------------------------------


def write(room: Room, characters: int) -> None:
    """Text in the editor, copied, cut and pasted; its title and its addresses change all the time."""
    child, place = room.open("mousepad", "--disable-server")
    room.person.enter(place, EDITOR)
    room.person.click(*place.inside(0.5, 0.5))
    while characters > 0:
        part = min(characters, 1_000)
        room.type_secrets("typed", part)
        room.entitle(place, 1 + part // 100)
        for trigger in ("a", "c", "end", "v", "a", "x", "v", "z"):
            room.person.chord(["ctrl"], trigger)
        room.person.key("enter")
        characters -= part
    room.person.chord(["ctrl"], "a")
    room.person.chord(["ctrl"], "c")
    room.close(child)


def ask_for_password(room: Room, times: int) -> None:
    """GTK's password field, confirmed by Enter."""
    for _ in range(times):
        child, place = room.open("zenity", "--password", "--title=Sign in")
        room.person.enter(place, DIALOG)
        room.entitle(place, 1)
        room.type_secrets("password", 1)
        room.person.key("enter")
        until(lambda child=child: child.poll() is not None, "the end of the dialog")


def read_silently(room: Room, times: int) -> None:
    """`read -s` in a terminal, and commands with secrets in them."""
    child, place = room.open("xterm", "-e", "bash", "--noprofile", "--norc", "-i")
    room.person.enter(place, TERMINAL)
    room.entitle(place, 2)
    for _ in range(times):
        room.person.type("read -s pw")
        room.person.key("enter")
        rest(0.1)
        room.type_secrets("terminal password", 1)
        room.person.key("enter")
        room.person.type(": ")
        room.type_secrets("command", 1)
        room.person.key("enter")
    room.close(child)


def correspond(room: Room, characters: int) -> None:
    """A program where what is typed is the content: typed, copied and pasted. Mail, chat or a prompt: the policy says which."""
    child, place = room.open("zenity", "--text-info", "--editable", "--title=New message")
    room.person.enter(place, DIALOG)
    room.entitle(place, 2)
    room.person.click(*place.inside(0.5, 0.4))
    room.type_secrets("message", characters)
    for trigger in ("a", "c", "end", "v", "v"):
        room.person.chord(["ctrl"], trigger)
    room.person.key("enter")
    room.close(child)


def sign_in_on_the_web(room: Room) -> None:
    """A form with a password field on a listed site, in Firefox, with a secret address and title; the history is Firefox's own."""
    with a_form(room) as port:
        profile = room.stage.root / "desktop" / "firefox"
        child, place = room.open(*firefox(profile, (HOST,), "--new-instance", f"http://{HOST}:{port.number}/"))
        until(lambda: port.asked, "the page", within_s=60)
        room.person.enter(place, BROWSER)
        rest(3)
        room.type_secrets("web password", 40)
        room.person.key("tab")
        room.type_secrets("web text", 40)
        room.person.chord(["ctrl"], "a")
        room.person.chord(["ctrl"], "c")
        room.person.key("enter")
        until(lambda: port.handed_in, "the form", within_s=30)
        room.close(child)


# --- what must hold ----------------------------------------------------------------------------------------------------


def nothing_is_found(room: Room, record: Record, *, open_it: bool = True) -> None:
    """In no file, in no process, in nothing that a command printed; and a planted secret would have been."""
    room.hand_in(open_it)
    net, found = room.net(), room.search(room.net())
    record("searched", {"files": found.files, "bytes": found.bytes, "secrets": len(room.secrets), "forms": len(net.patterns)})
    assert all(net.hits(pattern) for pattern in net.patterns), "the net has holes"
    assert (found.hits.total(), found.unread) == (0, 0), dict(found.hits)
    planted = room.stage.root / "volens" / "state" / "planted"
    planted.write_bytes(bytes(room.person.keycodes()[character] for character in room.secrets[-1].text))
    assert room.search(net).hits.total() > 0, "the search is blind"
    planted.unlink()


def nothing_was_handed_over(room: Room, traced: Path, record: Record) -> None:
    """In nothing that any process of the agent has written to a file, a pipe or a socket, whatever became of it; and C09."""
    net, streams, paths = room.net(), written(traced), opened(traced)
    record("written", {"streams": len(streams), "bytes": sum(map(len, streams.values())), "processes": len(list(traced.iterdir()))})
    assert any(b"observed" in data for data in streams.values()), "what the observer says to the daemon was not traced"
    assert {name for name, data in streams.items() if net.hits(data)} == set()
    devices = {path for path in paths if path.startswith(("/dev/video", "/dev/snd", "/dev/input", "/dev/dri", "/dev/media"))}
    assert devices == set()
    home = room.subject.calls.env["HOME"]  # its own folders (XDG) are not below it here
    assert {path for path in paths if Path(path).is_relative_to(home)} == set()
    own = (str(room.stage.root), "/dev/", "/proc/self")
    elsewhere = {path for path in opened(traced, to_write=True) if not path.startswith(own) and "__pycache__" not in path}
    assert elsewhere == set()
    foreign = {path for path in paths if path.startswith(str(room.stage.root)) and not _is_its_own(Path(path), room)}
    assert foreign == set()


def _is_its_own(path: Path, room: Room) -> bool:
    """Its own folders, the folder of sockets, the cookie of its display, and what it was told of: never the applications'."""
    first = path.relative_to(room.stage.root).parts[:1]
    return first in (("volens",), ("run",), ("trial",), ("logs",), (), ("xauthority",))


def counts_fit(room: Room, *whys: Why, kept: int = 0) -> None:
    """Every raw input is accounted for, at least so many were kept, and these reasons were among those of the refused."""
    tally = room.subject.status().tally
    assert tally.held + tally.sent >= kept, "too little of it was recorded to show anything"
    assert tally.seen == sum(tally.refused.values()) + tally.pending + tally.held + tally.forgotten + tally.sealed + tally.sent
    assert set(whys) <= {Why(why) for why in tally.refused}


def test_300_secret_characters_are_nowhere(record_property: Record) -> None:
    """The short form: a GTK prompt, `read -s`, a message that is typed and pasted, titles, addresses, notifications."""
    with a_room(applications(dialog="mail"), seed=5) as room:
        correspond(room, 230)
        ask_for_password(room, 1)
        read_silently(room, 1)
        room.notify(3)
        assert room.typed >= 300
        nothing_is_found(room, record_property, open_it=False)
        counts_fit(room, Why.STRUCTURE_ONLY)


@pytest.mark.soak
def test_10000_secret_characters_are_nowhere_and_in_no_write(tmp_path: Path, record_property: Record) -> None:
    """The long form, under strace: an editor, three GTK prompts, `read -s`, titles, addresses, the clipboard, notifications."""
    traced = tmp_path / "traced"
    traced.mkdir()
    with a_room(applications(), seed=6, traced=traced) as room:
        write(room, 8_000)
        ask_for_password(room, 3)
        read_silently(room, 10)
        correspond(room, 1_500)
        room.notify(50)
        assert room.typed >= 10_000
        nothing_is_found(room, record_property)
        counts_fit(room, Why.STRUCTURE_ONLY, Why.SECURE_FIELD, kept=room.typed)
        nothing_was_handed_over(room, traced, record_property)


@pytest.mark.soak
@pytest.mark.skipif(firefox_number() < OLDEST, reason=f"needs Firefox {OLDEST}")
def test_a_web_form_is_nowhere_and_in_no_write(tmp_path: Path, record_property: Record) -> None:
    """In Firefox: a password field, a text field, the page's address and its title."""
    traced = tmp_path / "traced"
    traced.mkdir()
    with a_room(applications(), seed=8, traced=traced) as room:
        sign_in_on_the_web(room)
        nothing_is_found(room, record_property)
        counts_fit(room, Why.SECURE_FIELD)
        nothing_was_handed_over(room, traced, record_property)


@pytest.mark.soak
@pytest.mark.parametrize("category", ["mail", "chat", "assistant", "secrets"])
def test_what_is_written_to_others_is_nowhere(category: str, tmp_path: Path, record_property: Record) -> None:
    """Editor and dialog as a policy lists mail, a chat, an assistant's prompt or a password manager: structure, and nothing typed."""
    traced = tmp_path / "traced"
    traced.mkdir()
    with a_room(applications(category, category), seed=7, traced=traced) as room:
        write(room, 1_000)
        correspond(room, 300)
        ask_for_password(room, 1)
        room.notify(5)
        nothing_is_found(room, record_property)
        counts_fit(room, Why.STRUCTURE_ONLY)
        nothing_was_handed_over(room, traced, record_property)
