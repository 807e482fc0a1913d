"""Live: copies on a real X server. What the server says to us holds no byte of what was copied; and real applications copy for real."""

import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from Xlib import X
from Xlib.protocol.event import SelectionNotify

from agent import clock
from agent.demo.wait import until
from collectors.backends import x11_clipboard
from collectors.backends.linux_x11 import LinuxX11, _connect
from collectors.backends.x11_clipboard import LATEST_MS, MOST_FORMS, Selections
from collectors.clipboard import Offer
from collectors.pipe import Grant, SurfaceRule
from consent.vocabulary import Kind, SurfaceId
from consent.words import ClipboardAct, ClipboardKind, SizeBucket
from tests.collectors.child import Child, observer
from tests.live.desktop import Application, Desktop, desktop, program

pytestmark = pytest.mark.live
CANARY = "zebra4quokka7vixen"
_ATOM = 4


@pytest.fixture(scope="module")
def desk() -> Iterator[Desktop]:
    with desktop() as whole:
        yield whole


@dataclass
class Wire:
    """A socket that remembers what came over it."""

    socket: Any
    came: bytearray = field(default_factory=bytearray)

    def recv(self, *arguments: Any) -> bytes:
        data: bytes = self.socket.recv(*arguments)
        self.came += data
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self.socket, name)


@dataclass
class Offers:
    """What the back end hands over; stands for the shaper."""

    made: list[Offer] = field(default_factory=list)

    def copied(self, offer: Offer) -> None:
        self.made.append(offer)


class Owner:
    """A program that owns the clipboard and answers as it is told to.

    Attributes:
        destroys_at: The form that it answers by destroying the window that asked, too.
        data: By form, its bytes; `TARGETS` is made of them. An int in the place of bytes: it comes in pieces, so many bytes in all.
    """

    def __init__(self, display: Any) -> None:
        self.display = display
        self.window = display.screen().root.create_window(0, 0, 1, 1, 0, 0, window_class=2)
        self.data: dict[str, bytes | int] = {}
        self.forms: tuple[int, int, list[int]] | None = None
        self.asked: list[str] = []
        self.requestors: list[Any] = []
        self.destroys_at = ""

    def copy(self, data: dict[str, bytes | int]) -> None:
        """Become the owner of something else."""
        self.data, self.asked = data, []
        self.window.set_selection_owner(self.display.intern_atom("CLIPBOARD"), X.CurrentTime)
        self.display.sync()

    def serve(self) -> None:
        """Answer what was asked."""
        while self.display.pending_events():
            event = self.display.next_event()
            if event.type == X.SelectionRequest:
                self._answer(event)
        self.display.sync()

    def _answer(self, event: Any) -> None:
        name = self.display.get_atom_name(event.target)
        self.asked.append(name)
        self.requestors.append(event.requestor)
        target, size, data = _ATOM, 32, [self.display.intern_atom(form) for form in ("TARGETS", *self.data)]
        answers: Any = self.forms or (target, size, data)
        if name != "TARGETS":
            value = self.data[name]
            whole = isinstance(value, bytes)
            answers = (event.target, 8, value) if whole else (self.display.intern_atom("INCR"), 32, [value])
        event.requestor.change_property(event.property, *answers, onerror=lambda *_: None)
        event.requestor.send_event(
            SelectionNotify(
                time=event.time, requestor=event.requestor, selection=event.selection, target=event.target, property=event.property
            ),
            onerror=lambda *_: None,
        )
        if name == self.destroys_at:
            event.requestor.destroy(onerror=lambda *_: None)


@dataclass
class Scene:
    """An owner, and our back end beside it, in one process."""

    owner: Owner
    selections: Selections
    display: Any
    wire: Wire
    shaper: Offers = field(default_factory=Offers)
    whose: int = 1

    def copy(self, data: dict[str, bytes | int], patience: int = 20) -> Offer:
        """Copy, and let both sides speak until neither has anything to say."""
        self.owner.copy(data)
        for _ in range(patience):
            self.turn()
            self.owner.serve()
        return self.shaper.made[-1]

    def turn(self) -> None:
        """What the observer's loop does."""
        while self.display.pending_events():
            self.selections.hear(self.display.next_event())
        self.selections.pump(self.shaper, clock.read)
        self.display.sync()


@pytest.fixture
def scene(desk: Desktop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    for name in ("DISPLAY", "XAUTHORITY"):
        monkeypatch.setenv(name, desk.env[name])
    ours, theirs = _connect(), _connect()
    wire = ours.display.socket = Wire(ours.display.socket)
    made = Scene(Owner(theirs), Selections(ours, lambda _: made.whose), ours, wire)
    made.turn()
    made.shaper.made.clear()
    yield made
    ours.close()
    theirs.close()


SIZES = {0: "0", 18: "1-99", 999: "100-999", 5_000: "1k-9k", 70_000: "10k-99k", 120_000: "100k+"}


@pytest.mark.parametrize(("size_bytes", "bucket"), SIZES.items())
def test_the_size_is_known_and_no_byte_of_the_content_came_in(scene: Scene, size_bytes: int, bucket: str) -> None:
    """Everything that the X server said to us is searched, and was hardly more than the list of forms."""
    content = (CANARY.encode() * (size_bytes // len(CANARY) + 1))[:size_bytes]
    before = len(scene.wire.came)
    offer = scene.copy({"UTF8_STRING": content, "text/html": content})
    assert (offer.kinds, offer.size) == ((ClipboardKind.TEXT, ClipboardKind.RICH_TEXT), bucket)
    assert scene.owner.asked == ["TARGETS", "UTF8_STRING"]
    assert CANARY[:4].encode() not in scene.wire.came
    assert len(scene.wire.came) - before < 2_000


def test_what_comes_in_pieces_is_never_fetched(scene: Scene) -> None:
    """Its size is more than one piece; the window that the pieces would go to is gone."""
    assert scene.copy({"UTF8_STRING": 5_000_000}).size is SizeBucket.MORE
    assert _is_gone(scene)


def test_nothing_of_ours_is_left_on_the_server(scene: Scene) -> None:
    """Neither window nor property, once the answer was measured."""
    scene.copy({"UTF8_STRING": CANARY.encode()})
    assert len(scene.owner.requestors) == 2
    assert _is_gone(scene)


def _is_gone(scene: Scene) -> bool:
    def there(window: Any) -> bool:
        try:
            return window.get_attributes() is not None
        except Exception:
            return False

    return not any(there(window) for window in scene.owner.requestors)


@pytest.mark.parametrize("hint", ["x-kde-passwordManagerHint", "org.nspasteboard.ConcealedType"])
def test_a_secret_is_asked_for_nothing_but_its_forms(scene: Scene, hint: str) -> None:
    """And is told nothing of."""
    offer = scene.copy({"UTF8_STRING": CANARY.encode(), hint: b"secret"})
    assert (offer.kinds, offer.size, scene.owner.asked) == (None, SizeBucket.UNKNOWN, ["TARGETS"])


def test_an_image_is_asked_for_nothing_but_its_forms(scene: Scene) -> None:
    """Its program would have to encode it."""
    offer = scene.copy({"image/png": CANARY.encode()})
    assert (offer.kinds, offer.size, scene.owner.asked) == ((ClipboardKind.IMAGE,), SizeBucket.UNKNOWN, ["TARGETS"])


def test_an_owner_that_is_not_in_a_recorded_window_in_front_is_asked_for_nothing(scene: Scene) -> None:
    """Some give what they have only once: to us, it would be lost for the one who pastes."""
    scene.whose = 0
    offer = scene.copy({"UTF8_STRING": CANARY.encode()})
    assert (offer.window, offer.kinds, scene.owner.asked) == (0, None, [])


@pytest.mark.parametrize(
    "forms",
    [
        lambda display: (display.intern_atom("STRING"), 8, CANARY.encode()),
        lambda display: (_ATOM, 8, CANARY.encode()),
        lambda display: (_ATOM, 32, [display.intern_atom("UTF8_STRING")] * (MOST_FORMS + 1)),
    ],
    ids=["text", "bytes called atoms", "too many"],
)
def test_a_list_of_forms_that_is_none_is_not_read(scene: Scene, forms: Callable[[Any], tuple[int, int, Any]]) -> None:
    """An owner that puts what was copied in its place tells us nothing of it."""
    scene.owner.forms = forms(scene.owner.display)
    assert scene.copy({"UTF8_STRING": CANARY.encode()}).kinds is None
    assert CANARY[:4].encode() not in scene.wire.came
    assert _is_gone(scene)


def test_an_owner_that_does_not_answer_is_let_go(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing waits for it, and the next copy is told as ever."""
    scene.owner.copy({"UTF8_STRING": CANARY.encode()})
    scene.turn()
    monkeypatch.setattr(x11_clipboard, "LATEST_MS", -1)
    scene.turn()
    scene.owner.serve()
    scene.turn()
    assert (scene.shaper.made[-1].window, scene.shaper.made[-1].kinds) == (1, None)
    assert _is_gone(scene)
    monkeypatch.setattr(x11_clipboard, "LATEST_MS", LATEST_MS)
    assert scene.copy({"UTF8_STRING": CANARY.encode()}).kinds == (ClipboardKind.TEXT,)


@pytest.mark.parametrize(("destroys_at", "kinds"), [("TARGETS", None), ("UTF8_STRING", (ClipboardKind.TEXT,))])
def test_an_owner_that_destroys_our_window_only_spoils_its_own_copy(
    scene: Scene, destroys_at: str, kinds: tuple[ClipboardKind, ...] | None
) -> None:
    """Any program can destroy any window: nothing is known of what lay there, and the next copy is told as ever."""
    scene.owner.destroys_at = destroys_at
    offer = scene.copy({"UTF8_STRING": CANARY.encode()})
    assert (offer.kinds, offer.size, offer.done) == (kinds, SizeBucket.UNKNOWN, True)
    scene.owner.destroys_at = ""
    assert scene.copy({"UTF8_STRING": CANARY.encode()}).size is SizeBucket.TENS


def test_the_owner_s_end_is_an_offer_of_nobody(scene: Scene) -> None:
    """What is pasted then is nothing that we know of."""
    scene.copy({"UTF8_STRING": CANARY.encode()})
    scene.owner.window.destroy()
    scene.owner.display.sync()
    scene.turn()
    assert (scene.shaper.made[-1].window, scene.shaper.made[-1].kinds) == (0, None)


def test_without_xfixes_it_is_said(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing is asked."""
    monkeypatch.setattr(scene.display, "has_extension", lambda _: False)
    assert Selections(scene.display, lambda _: 1).trouble


_LOOP = """
import sys, time
from Xlib import X, Xatom, display
screen = display.Display()
window, root = screen.screen().root.create_window(0, 0, 1, 1, 0, 0), screen.screen().root
clipboard, junk = screen.intern_atom("CLIPBOARD"), screen.intern_atom("_JUNK")
end = time.monotonic() + 1.5
while time.monotonic() < end:
    for _ in range(100):
        if sys.argv[1] == "clipboard":
            window.set_selection_owner(clipboard, X.CurrentTime)
        else:
            root.change_property(junk, Xatom.CARDINAL, 32, [1])
    screen.sync()
"""


@pytest.mark.parametrize("what", ["clipboard", "property"])
def test_a_program_that_changes_something_in_a_loop_holds_nothing_up(scene: Scene, desk: Desktop, what: str) -> None:
    """Each turn ends while it goes on, what was read and not handled is due, and a second later the clipboard is listened to again."""
    collector = LinuxX11(clock.read)
    shaper = collector.hook(Grant(1, frozenset({Kind.CLIPBOARD, Kind.FOCUS}), ()))
    with subprocess.Popen([sys.executable, "-c", _LOOP, what], env=desk.env) as program:
        turns = 0
        while program.poll() is None or collector.due_ms() is not None:
            select.select(collector.sources(), [], [], 0.05)
            collector.pump()
            turns += program.poll() is None
            shaper.advance(clock.read())
            assert len(shaper._queue) < 100
    assert turns >= 2, "a turn lasted as long as the loop did"
    selections, copied = collector._selections, Offers()
    assert selections is not None
    scene.owner.copy({"UTF8_STRING": b""})

    def heard() -> bool:
        while collector._display.pending_events():
            selections.hear(collector._display.next_event())
        selections.pump(copied, clock.read)  # type: ignore[arg-type]
        return bool(copied.made)

    until(heard, "the clipboard listened to again")
    collector._display.close()


def test_how_long_a_turn_took_is_said(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A turn in which something took long says that what had the focus meanwhile is not known."""
    collector = LinuxX11(clock.read)
    shaper = collector.hook(Grant(1, frozenset({Kind.CLIPBOARD, Kind.FOCUS}), ()))
    said = list[int]()
    monkeypatch.setattr(shaper, "read", lambda since_ms, until_ms: said.append(until_ms - since_ms))
    collector.pump()
    monkeypatch.setattr(collector, "_pump_windows", lambda: select.select([], [], [], 0.1))
    collector.pump()
    assert said[0] < 100 < said[1]
    collector._display.close()


# --- with a real editor, by the real observer ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def editor(desk: Desktop) -> Application:
    return desk.start("mousepad", "--disable-server")


Told = tuple[ClipboardAct, tuple[ClipboardKind, ...], SizeBucket]


def _copies(desk: Desktop, editor: Application, child: Child, times: int) -> Iterator[Told]:
    """Copies, cuts and pastes a canary so many times, and searches all that the observer says for it."""
    for _ in range(times):
        for acts, chord in enumerate(("c", "x", "v"), start=1):
            if chord != "v":
                desk.key("Control_L", "a")
            child.clear()
            desk.key("Control_L", chord)
            child.until(lambda: bool(child.of(Kind.CLIPBOARD)), f"act {acts}")
            (told,) = child.of(Kind.CLIPBOARD)
            yield told.payload.act, told.payload.kinds, told.payload.size
    assert all(form not in child.raw for form in (CANARY.encode(), CANARY[::-1].encode(), CANARY.encode("utf-16-le")))


def _observed(desk: Desktop, editor: Application, times: int) -> list[Told]:
    editor.in_front()
    with observer(desk.env, [SurfaceRule(SurfaceId("editor"), (program("mousepad"),), False)]) as child:
        child.until(lambda: child.recorded is True, "the editor in front")

        def kept() -> bool:
            desk.key("Escape")
            child.lull(0.5)
            return bool(child.of(Kind.KEY_NAMED))

        until(kept, "the role of the focused field")
        desk.key("Control_L", "a")
        desk.type(CANARY)
        return list(_copies(desk, editor, child, times))


EXPECTED = [(act, (ClipboardKind.TEXT,), SizeBucket.TENS) for act in (ClipboardAct.COPY, ClipboardAct.CUT, ClipboardAct.PASTE)]


def test_twenty_copies_of_a_canary_in_an_editor_are_told_without_it(desk: Desktop, editor: Application) -> None:
    """Copied, cut and pasted by hand: each told once, with kind and size, and the canary is nowhere in what the observer said."""
    assert _observed(desk, editor, 7) == 7 * EXPECTED


@pytest.mark.soak
def test_a_thousand_copies_of_a_canary_in_an_editor_are_told_without_it(desk: Desktop, editor: Application) -> None:
    """The long form of the test above."""
    assert _observed(desk, editor, 334) == 334 * EXPECTED
