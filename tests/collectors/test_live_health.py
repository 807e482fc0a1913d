"""A hook that has gone deaf on a real X server, a window manager that ends, and what is no deafness."""

import time
from collections.abc import Callable, Iterator

import pytest
from Xlib import X, display, ext
from Xlib.ext import record
from Xlib.protocol.request import KillClient

from agent.demo.display import open_display
from collectors.pipe import SurfaceRule
from consent.vocabulary import Blocker, Kind, SurfaceId
from tests.collectors.child import Child, observer
from tests.live.desktop import Application, Desktop, desktop, program

pytestmark = pytest.mark.live
NOTICED_WITHIN_S = 10.0
_LOCAL_PID = 2
_POINTER = frozenset({Kind.POINTER_BUTTON, Kind.FOCUS})
_KEYS = frozenset({Kind.KEY_NAMED, Kind.FOCUS})


@pytest.fixture(scope="module")
def desk() -> Iterator[Desktop]:
    with desktop() as whole:
        yield whole


@pytest.fixture(scope="module")
def editor(desk: Desktop) -> Application:
    return desk.start("mousepad", "--disable-server")


@pytest.fixture(scope="module")
def other(desk: Desktop) -> Iterator[display.Display]:
    """A connection of another client, which meddles. python-xlib takes errors for those of extensions that are not used here."""
    known = ext.__extensions__
    ext.__extensions__ = [("RECORD", "record"), ("X-Resource", "res")]
    connection = open_display(desk.env)
    ext.__extensions__ = known
    connection.set_error_handler(lambda *_: None)
    yield connection
    connection.close()


def rules() -> list[SurfaceRule]:
    return [SurfaceRule(SurfaceId("editor"), (program("mousepad"),), False)]


@pytest.fixture
def child(desk: Desktop, editor: Application) -> Iterator[Child]:
    editor.in_front()
    with observer(desk.env, rules()) as running:
        running.until(lambda: running.recorded is True, "the editor in front")
        yield running


def connections(other: display.Display, child: Child) -> list[int]:
    """The first resource of each of the observer's connections: the one that asks, then the hooks."""
    found = other.res_query_client_ids([{"client": 0, "mask": _LOCAL_PID}]).ids
    return sorted(int(one.spec.client) for one in found if one.value and int(one.value[0]) == child.process.pid)


def switched_off(other: display.Display, child: Child) -> None:
    asking, *_ = connections(other, child)
    other.record_disable_context(asking)


def moves_switched_off(other: display.Display, child: Child) -> None:
    """Plain moves have a context of their own, the second that the asking connection made."""
    asking, *_ = connections(other, child)
    for context in range(asking + 1, asking + 400):
        other.record_disable_context(context)


def without_clients(other: display.Display, child: Child) -> None:
    """The context stays on and its connection open, and it is told nothing any more."""
    asking, *_ = connections(other, child)
    other.record_unregister_clients(asking, [record.AllClients])


def killed(other: display.Display, child: Child) -> None:
    """By what its first connection has made, the context; its second has made nothing that could be named."""
    asking, *_ = connections(other, child)
    KillClient(display=other.display, resource=asking)


@pytest.mark.parametrize(
    ("deafen", "blocker", "words"),
    [
        (switched_off, Blocker.OBSERVER_FAILING, "switched off"),
        (moves_switched_off, Blocker.OBSERVER_FAILING, "switched off"),
        (without_clients, Blocker.OBSERVER_FAILING, "did not tell of"),
        (killed, Blocker.DISPLAY_GONE, "ended"),
    ],
)
def test_a_deaf_hook_is_noticed_within_ten_seconds_of_the_first_input_that_it_missed(
    desk: Desktop,
    editor: Application,
    child: Child,
    other: display.Display,
    deafen: Callable[[display.Display, Child], None],
    blocker: Blocker,
    words: str,
) -> None:
    """Switched off, emptied or cut off by another client while the server goes on: the observer says that it is deaf, and ends."""
    desk.move(*editor.point(50, 60))
    child.until_seen(1)
    deafen(other, child)
    other.sync()
    missed_s = time.monotonic()
    desk.move(*editor.point(51, 60))
    child.until(lambda: child.failed is not None, "its last words")
    assert child.failed is not None
    print(f"{words}: noticed {time.monotonic() - missed_s:.2f} s after the first input that it missed")
    assert time.monotonic() - missed_s < NOTICED_WITHIN_S
    assert (child.failed.blocker, words in child.failed.why) == (blocker, True)


def test_a_hook_that_is_deaf_to_clicks_is_noticed_while_the_pointer_goes_on_moving(
    desk: Desktop, editor: Application, child: Child, other: display.Display
) -> None:
    """Moves come by another hook, which proves nothing for this one."""
    desk.move(*editor.point(50, 60))
    child.until_seen(1)
    without_clients(other, child)
    other.sync()
    deadline_s = time.monotonic() + NOTICED_WITHIN_S
    while child.failed is None and time.monotonic() < deadline_s:
        desk.move(*editor.point(50 + int(time.monotonic() * 10) % 9, 60))
        child.hear(0.1)
    assert child.failed is not None
    assert (child.failed.blocker, "did not tell of" in child.failed.why) == (Blocker.OBSERVER_FAILING, True)


def test_a_hook_that_went_deaf_while_nobody_was_there_is_noticed_at_the_first_input(
    desk: Desktop, editor: Application, child: Child, other: display.Display
) -> None:
    """The machine rests, the observer sleeps; the server's alarm wakes it with the first input."""
    desk.move(*editor.point(50, 60))
    child.until_seen(1)
    child.lull(2.6)
    without_clients(other, child)
    other.sync()
    before = switches(child)
    child.lull(1.0)
    assert switches(child) == before
    missed_s = time.monotonic()
    desk.key("Shift_L")
    child.until(lambda: child.failed is not None, "its last words")
    print(f"noticed {time.monotonic() - missed_s:.2f} s after the first input that it missed")
    assert time.monotonic() - missed_s < NOTICED_WITHIN_S


def switches(child: Child) -> str:
    with open(f"/proc/{child.process.pid}/status") as status:
        return next(line for line in status if line.startswith("voluntary_ctxt_switches"))


def test_what_only_keeps_the_screen_awake_is_no_deafness(desk: Desktop, editor: Application, child: Child) -> None:
    """A film resets the server's idle time as input does: the hook is asked to say something, does, and is left alone."""
    desk.move(*editor.point(50, 60))
    child.until_seen(1)
    for _ in range(2):
        child.lull(1.6)
        desk.display.force_screen_saver(X.ScreenSaverReset)
        desk.display.sync()
    child.lull(2.6)
    assert child.failed is None
    desk.move(*editor.point(51, 60))
    child.until_seen(2)


@pytest.mark.parametrize("kinds", [_POINTER, pytest.param(_KEYS, marks=pytest.mark.soak)])
def test_a_hook_is_not_asked_about_what_it_is_not_to_tell(desk: Desktop, editor: Application, kinds: frozenset[Kind]) -> None:
    """Only the pointer hooked, and somebody types; only keys, and somebody points: no deafness, and no word of it."""
    editor.in_front()
    with observer(desk.env, rules(), kinds) as child:
        child.until(lambda: child.recorded is True, "the editor in front")
        child.lull(0.5)
        before = len(child.raw)
        for at in range(7):
            desk.move(*editor.point(60 + at, 60)) if kinds is _KEYS else desk.key("Shift_L")
            child.lull(0.4)
        child.lull(1.0)
        assert (child.failed, len(child.raw) - before) == (None, 0)


def test_a_window_manager_that_ends_is_noticed_and_so_is_the_next(desk: Desktop, editor: Application, child: Child) -> None:
    """What it said last of the window in front is not believed any more: nothing is recorded until another one says it."""
    (manager,) = [one for one in desk.stage.children.alive() if one.name() == "openbox"]
    manager.kill()
    child.until(lambda: child.states[Kind.FOCUS].state == "degraded", "the news")
    assert "window manager" in child.states[Kind.FOCUS].why
    assert child.recorded is False
    child.clear()
    desk.move(*editor.point(50, 60))
    desk.button(1)
    child.until_seen(3)
    assert child.of(Kind.POINTER_BUTTON) == []
    desk.stage.children.start([program("openbox"), "--sm-disable"], desk.env, name="another-window-manager")
    child.until(lambda: child.states[Kind.FOCUS].state == "live", "another window manager")
    editor.in_front()
    child.until(lambda: child.recorded is True, "the editor in front again")
