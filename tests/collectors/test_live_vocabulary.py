"""Live: the vocabulary of programs that run, found by what they are and have loaded."""

import os
from collections.abc import Iterator

import pytest

from collectors.identity import Identity
from collectors.pipe import SurfaceRule
from collectors.processes import Processes
from collectors.vocabularies import Vocabularies
from consent.vocabulary import SurfaceId
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
