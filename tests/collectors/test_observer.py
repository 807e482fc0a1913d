"""The observer's loop: what it says when, and how it ends. Driven step by step, over real pipes."""

import os
import threading
from collections.abc import Iterator, Sequence

import pytest

from agent import clock
from collectors import observer
from collectors.backends.unavailable import Unavailable
from collectors.errors import CollectorError, DisplayGoneError
from collectors.pick import pick
from collectors.pipe import Failed, Front, Grant, Hooked, Observed, decode_up, encode
from collectors.raw import Button
from collectors.shape import Shaper
from consent.event import Clocks, Control, PointerButton, Switch
from consent.frames import Splitter, frame
from consent.vocabulary import Blocker, Kind
from tests.collectors.child import observer as running_observer
from tests.collectors.stage import EDITOR
from tests.collectors.steps import Step, Steps


class Pipes:
    """Both ends of both pipes."""

    def __init__(self) -> None:
        self.down_r, self.down_w = os.pipe()
        self.up_r, self.up_w = os.pipe()

    def hang_up(self) -> None:
        """The daemon is gone."""
        os.close(self.down_w)
        self.down_w = -1

    def heard(self) -> list[Hooked | Front | Observed | Failed]:
        """Everything that was said, after the observer ended."""
        os.close(self.up_w)
        self.up_w, data = -1, b""
        while chunk := os.read(self.up_r, 65536):
            data += chunk
        return [decode_up.decode(body) for body in Splitter().feed(data)]


@pytest.fixture
def pipes() -> Iterator[Pipes]:
    both = Pipes()
    yield both
    for fd in (both.down_r, both.down_w, both.up_r, both.up_w):
        if fd >= 0:
            os.close(fd)


def _front(shaper: Shaper) -> None:
    shaper.front(clock.read(), EDITOR)


def _press(shaper: Shaper) -> None:
    now = clock.read()
    later = Clocks(now.awake_ms + 5, now.boot_ms + 5, now.wall_ms + 5)
    shaper.button(Button(later, 1, True, 1, False, 4, 5))


def _run(pipes: Pipes, steps: Sequence[Step], kinds: frozenset[Kind] = frozenset(Kind)) -> int:
    grant = Grant(7, kinds, ())
    return observer.Observer(Steps(clock.read, steps), grant, clock.read, pipes.down_r, pipes.up_w).run()


def test_it_says_its_hooks_its_front_and_its_events_and_ends_when_the_daemon_hangs_up(pipes: Pipes) -> None:
    """In this order; the exit code of a hang-up is 0."""
    pipes_down = threading.Timer(0.4, pipes.hang_up)
    pipes_down.start()
    assert _run(pipes, [_front, _press]) == 0
    pipes_down.join()
    said = pipes.heard()
    assert isinstance(said[0], Hooked)
    assert {state.state for state in said[0].collectors} == {"live"}
    assert [message.recorded for message in said if isinstance(message, Front)] == [False, True]
    events = [event for message in said if isinstance(message, Observed) for event in message.events]
    assert [event.payload for event in events][:1] == [Control(Switch.STARTED)]
    assert any(isinstance(event.payload, PointerButton) for event in events)
    assert {message.generation for message in said} == {7}


def test_without_a_granted_kind_nothing_is_hooked(pipes: Pipes) -> None:
    """Not even a display is opened: the collector here would raise."""
    grant, refusing = Grant(7, frozenset(), ()), Unavailable(CollectorError("it was asked to hook"))
    pipes.hang_up()
    assert observer.Observer(refusing, grant, clock.read, pipes.down_r, pipes.up_w).run() == 0
    assert pipes.heard() == [Hooked(7, ())]


def test_what_was_seen_is_said_before_the_end(pipes: Pipes) -> None:
    """The display goes away in mid-run: last events, a stopped recording, then the blocker with its sentence."""

    def gone(_: Shaper) -> None:
        raise DisplayGoneError("the X server ended")

    assert _run(pipes, [_front, _press, gone]) == 1
    *before, last = pipes.heard()
    assert last == Failed(7, Blocker.DISPLAY_GONE, "the X server ended")
    payloads = [event.payload for message in before if isinstance(message, Observed) for event in message.events]
    assert isinstance(payloads[-2], PointerButton)
    assert payloads[-1] == Control(Switch.STOPPED)


def test_a_daemon_that_hangs_up_before_it_grants_ends_it(pipes: Pipes) -> None:
    """No grant, no hook."""
    pipes.hang_up()
    assert observer.run(clock.read, pipes.down_r, pipes.up_w) == 0
    assert pipes.heard() == []


def test_a_daemon_that_no_longer_reads_ends_it(pipes: Pipes) -> None:
    """The upward pipe is closed at the other end; the next word finds nobody."""
    os.close(pipes.up_r)
    pipes.up_r = -1
    assert _run(pipes, [_front, _press]) == 0


@pytest.mark.parametrize(
    ("env", "blocker", "words"),
    [
        ({"DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0"}, Blocker.NOT_OBSERVABLE, "Wayland"),
        ({"DISPLAY": ":0", "XDG_SESSION_TYPE": "wayland"}, Blocker.NOT_OBSERVABLE, "Wayland"),
        ({}, Blocker.DISPLAY_GONE, "DISPLAY"),
        ({"DISPLAY": ":4095"}, Blocker.DISPLAY_GONE, "X server"),
    ],
)
def test_where_nothing_can_be_observed_it_says_so(env: dict[str, str], blocker: Blocker, words: str) -> None:
    """As a child process, with that environment: one Failed with its reason, exit code 1; never silent through XWayland."""
    with running_observer(env, ()) as child:
        child.until(lambda: child.failed is not None, "its last words")
        assert child.failed is not None
        assert child.failed.blocker == blocker
        assert words in child.failed.why
        assert child.process.wait(10) == 1


def test_a_grant_that_is_no_grant_is_not_obeyed(pipes: Pipes) -> None:
    """It ends with the decoder's error, before anything is hooked."""
    os.write(pipes.down_w, frame(encode(Front(7, True))))
    with pytest.raises(ValueError, match="Invalid value"):
        observer.run(clock.read, pipes.down_r, pipes.up_w)


def test_another_operating_system_is_said_to_be_unsupported(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one place that asks which system this is."""
    monkeypatch.setattr("sys.platform", "plan9")
    with pytest.raises(CollectorError, match="not supported"):
        pick(clock.read).hook(Grant(7, frozenset(Kind), ()))
