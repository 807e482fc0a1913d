"""A window in front with titles, names and classes that break whoever reads them: the observer does not read them."""

import pytest
from Xlib import Xatom

from collectors.pipe import SurfaceRule
from consent.event import Button, PointerButton
from consent.vocabulary import Kind, SurfaceId
from tests.collectors.child import Child, observer
from tests.live.desktop import Application, Desktop, desktop, program
from tests.naughty import CANARY, naughty

pytestmark = pytest.mark.live
FEW, MANY = 200, 10_000
MOST_CPU_S = 0.1


def used(child: Child) -> tuple[float, str]:
    """The CPU seconds of the observer, and how often it was woken."""
    with open(f"/proc/{child.process.pid}/stat") as stat, open(f"/proc/{child.process.pid}/status") as status:
        fields = stat.read().rpartition(")")[2].split()
        woken = next(line for line in status if line.startswith("voluntary_ctxt_switches"))
    return (int(fields[11]) + int(fields[12])) / 100, woken


def name(desk: Desktop, window: int, said: bytes) -> None:
    """Say it in each of the ways in which a window says what it is."""
    one, text = desk.display.create_resource_object("window", window), desk.display.intern_atom("UTF8_STRING")
    for property_name in ("_NET_WM_NAME", "_NET_WM_ICON_NAME"):
        one.change_property(desk.display.intern_atom(property_name), text, 8, said)
    for atom in (Xatom.WM_NAME, Xatom.WM_ICON_NAME, Xatom.WM_CLASS):
        one.change_property(atom, Xatom.STRING, 8, said)


@pytest.mark.parametrize("count", [FEW, pytest.param(MANY, marks=pytest.mark.soak)])
def test_naughty_titles_of_the_window_in_front_wake_nobody_and_are_nowhere(count: int) -> None:
    """Ten thousand of them, up to 64 KiB long: not a byte is said, the observer does not wake up once, and the next click is kept."""
    with desktop() as desk:
        editor = desk.start("mousepad", "--disable-server")
        with observer(desk.env, [SurfaceRule(SurfaceId("editor"), (program("mousepad"),), False)]) as child:
            child.until(lambda: child.recorded is True, "the editor in front")
            child.lull(2.6)
            said, before = len(child.raw), used(child)
            for at, title in enumerate(naughty(count, seed=5)):
                name(desk, editor.window, title)
                if at % 20 == 0:
                    desk.display.sync()
            desk.display.sync()
            child.lull(1.0)
            after = used(child)
            print(f"{count} titles: {after[0] - before[0]:.2f} s of CPU")
            assert (len(child.raw), after[1]) == (said, before[1])
            assert after[0] - before[0] <= MOST_CPU_S
            still_works(desk, editor, child)
            assert CANARY not in child.raw


def still_works(desk: Desktop, editor: Application, child: Child) -> None:
    """A click is kept as one of the editor's: what a window says of itself makes it nothing else."""
    editor.in_front()
    child.clear()
    desk.move(*editor.point(120, 90))
    desk.button(1)
    child.until_seen(3)
    payloads = [event.payload for event in child.of(Kind.POINTER_BUTTON)]
    assert [(payload.button, payload.x, payload.y) for payload in payloads if isinstance(payload, PointerButton)] == [
        (Button.LEFT, 120, 90)
    ] * 2
