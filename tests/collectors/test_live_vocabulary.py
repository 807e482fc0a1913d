"""Live: the vocabulary of programs that run, found by what they are and have loaded."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.demo.wait import until
from collectors.identity import Identity
from collectors.pipe import SurfaceRule
from collectors.processes import Processes
from collectors.vocabularies import Vocabularies
from consent.vocabulary import Kind, SurfaceId
from tests.collectors.child import Child, observer
from tests.live.desktop import Desktop, desktop, program

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def desk() -> Iterator[Desktop]:
    with desktop() as whole:
        yield whole


@pytest.mark.parametrize(
    ("argv", "own", "toolkit"),
    [
        (("mousepad", "--disable-server"), ["Search", "View", "Document"], ["Cut", "Select All", "Paper Margins"]),
        (("pcmanfm", "--no-desktop", "/usr"), ["Bookmarks", "New Window"], ["Cut", "Compact View"]),
    ],
    ids=["mousepad", "pcmanfm"],
)
def test_a_running_program_s_labels_are_its_own_and_its_toolkit_s(
    desk: Desktop, argv: tuple[str, ...], own: list[str], toolkit: list[str]
) -> None:
    """GTK 3 with its own catalogue; GTK with a library that has one. Of files, nothing: not even the system's folders."""
    app = desk.start(*argv)
    running = Processes().process(app.process.pid)
    assert running is not None
    rule = SurfaceRule(SurfaceId("app"), (program(argv[0]),), False, (argv[0],), words=("Ticket",))
    labels = Vocabularies({"LANG": "C.UTF-8"}).of(Identity(rule, running))
    assert [word for word in [*own, *toolkit, "Ticket"] if not labels.word(word)] == []
    assert [word for word in [*os.listdir("/usr"), "notes.txt", "Untitled 1", "zebra4quokka7vixen"] if labels.word(word)] == []


def test_a_chosen_item_s_label_is_told_if_it_is_the_interface_s_and_a_file_s_name_is_not(desk: Desktop, tmp_path: Path) -> None:
    """A command of the editor, then an open document of the person's, both chosen from menus; and its name is nowhere in what was said."""
    document = tmp_path / "zebra4quokka7vixen.txt"
    document.write_text("")
    desk.start("mousepad", "--disable-server", str(document))
    with observer(desk.env, [SurfaceRule(SurfaceId("editor"), (program("mousepad"),), False, ("mousepad",))]) as child:
        child.until(lambda: child.recorded is True, "the editor in front")
        for menu, key in (("s", "Down"), ("d", "Up")):
            until(lambda menu=menu, key=key: _choose(desk, child, menu, key), "a choice that is told")
        labels = [event.payload.label for event in child.of(Kind.ELEMENT)]
    assert labels[-1] == ""
    assert set(labels) <= {"", "Find", "Find Next", "Find Previous"}
    assert {"Find", "Find Next"} & set(labels)
    assert document.stem.encode() not in child.raw


def _choose(desk: Desktop, child: Child, menu: str, key: str) -> bool:
    """Open a menu and take the item that this key leads to."""
    before = len(child.of(Kind.ELEMENT))
    desk.key("Alt_L", menu)
    child.lull(0.5)
    desk.key(key)
    child.lull(0.5)
    desk.key("Return")
    child.lull(1.0)
    desk.key("Escape")
    child.lull(0.5)
    return len(child.of(Kind.ELEMENT)) > before
