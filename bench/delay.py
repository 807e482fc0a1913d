"""python -m bench.delay: how much later a key reaches an application while somebody listens. Nobody, pynput and the agent take turns.

Each key goes in by XTEST on one connection and is awaited on another, that of a plain client whose window has the focus; the time
between is measured. One after the other: the next goes in when the last has come, so that a key that is swallowed shows as one.
"""

import argparse
import contextlib
import json
import select
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from statistics import median

from rich.console import Console
from rich.table import Table
from Xlib import XK, X
from Xlib.ext import xtest

from agent.demo.display import open_display
from agent.demo.stage import Stage, stage
from agent.errors import AgentError
from bench.clock import elapsed_s, rest_until
from bench.recorders import Agent, Listener, end

KEYS, ROUND = 10_000, 500
"""Keys for each contestant, and for each of its turns."""
EVERY_S = 0.005
"""From one key to the next: two hundred a second, ten times as fast as anybody types."""
LOST_S = 1.0
"""A key that has not come by then never does."""
NAMES = ("nobody", "pynput", "Volens")
BAR_MS = 1.0


@dataclass(frozen=True, slots=True)
class Delay:
    """What one contestant's keys took, press and release each for itself.

    Attributes:
        p50_ms, p99_ms: From the injection until the client has it, milliseconds; of all its turns together.
        p50_added_ms, p99_added_ms: By how much more than nobody's in the same round: the median of the rounds. What else runs on the
            machine makes some rounds slow for everybody, and whole turns slow for one.
        injected, delivered: Key events.
    """

    name: str
    p50_ms: float
    p99_ms: float
    p50_added_ms: float
    p99_added_ms: float
    injected: int
    delivered: int


def delay(name: str, turns_s: Sequence[Sequence[float]], nobody_s: Sequence[Sequence[float]], injected: int) -> Delay:
    """The figures of one contestant's turns, beside nobody's in the same rounds."""
    every = [took_s for turn in turns_s for took_s in turn]
    p50_added_ms, p99_added_ms = (_added_ms(turns_s, nobody_s, share) for share in (0.5, 0.99))
    return Delay(name, _ms(every, 0.5), _ms(every, 0.99), p50_added_ms, p99_added_ms, injected, len(every))


def _added_ms(turns_s: Sequence[Sequence[float]], nobody_s: Sequence[Sequence[float]], share: float) -> float:
    rounds = [_ms(turn, share) - _ms(nobody, share) for turn, nobody in zip(turns_s, nobody_s, strict=True)]
    return median(rounds) if rounds else 0.0


def _ms(took_s: Sequence[float], share: float) -> float:
    """The value below which this share of them lies, milliseconds; 0 without any."""
    ordered = sorted(took_s)
    return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


class Client:
    """A plain X client with a window that has the focus."""

    def __init__(self, desktop: Stage) -> None:
        self._inject, self._display = open_display(desktop.desktop), open_display(desktop.desktop)
        root = self._display.screen().root
        self._window = root.create_window(200, 200, 400, 300, 0, X.CopyFromParent, event_mask=X.KeyPressMask | X.KeyReleaseMask)
        self._window.map()
        self._display.change_keyboard_control(auto_repeat_mode=X.AutoRepeatModeOff)
        self._display.sync()
        self._code = int(self._display.keysym_to_keycode(XK.string_to_keysym("a")))

    def focus(self) -> None:
        """Have the focus, and nothing old to read."""
        self._window.raise_window()
        self._window.set_input_focus(X.RevertToParent, X.CurrentTime)
        self._display.sync()
        while self._display.pending_events():
            self._display.next_event()

    def turn(self, keys: int) -> list[float]:
        """What each press and each release took, in seconds; those that never came are left out."""
        took_s = []
        for _ in range(keys):
            due_s = elapsed_s() + EVERY_S
            for sort in (X.KeyPress, X.KeyRelease):
                begun_s = elapsed_s()
                xtest.fake_input(self._inject, sort, self._code)
                self._inject.flush()
                if self._came(sort, begun_s + LOST_S):
                    took_s.append(elapsed_s() - begun_s)
            rest_until(due_s)
        return took_s

    def _came(self, sort: int, until_s: float) -> bool:
        while True:
            while self._display.pending_events():
                event = self._display.next_event()
                if event.type == sort and event.detail == self._code:
                    return True
            if not select.select([self._display], [], [], max(0.0, until_s - elapsed_s()))[0]:
                return False


Contest = Callable[[], contextlib.AbstractContextManager[None]]


@contextlib.contextmanager
def _pynput(desktop: Stage) -> Iterator[None]:
    listener = Listener()
    process = listener.start(desktop)
    try:
        yield
    finally:
        end(process)


@contextlib.contextmanager
def _agent(agent: Agent) -> Iterator[None]:
    agent.subject.resume()
    try:
        yield
    finally:
        agent.subject.pause()


def measure(desktop: Stage, keys: int) -> list[Delay]:
    """Turn and turn about, until each had its keys."""
    client, agent = Client(desktop), Agent()
    process = agent.start(desktop)
    agent.subject.pause()
    contests: dict[str, Contest] = {
        "nobody": contextlib.nullcontext,
        "pynput": lambda: _pynput(desktop),
        "Volens": lambda: _agent(agent),
    }
    turns_s: dict[str, list[list[float]]] = {name: [] for name in NAMES}
    for begun in range(0, keys, ROUND):
        part = min(ROUND, keys - begun)
        for name in NAMES:
            with contests[name]():
                client.focus()
                client.turn(min(10, part))  # what is touched for the first time is slow for everybody
                turns_s[name].append(client.turn(part))
    end(process)
    return [delay(name, turns_s[name], turns_s["nobody"], 2 * keys) for name in NAMES]


def table(delays: Sequence[Delay]) -> Table:
    """One row for each contestant, beside nobody."""
    drawn = Table(title=f"{delays[0].injected} key events each, turn and turn about", title_justify="left")
    for name in ("", "delivered", "p50 ms", "p99 ms", "p50 added", "p99 added"):
        drawn.add_column(name, justify="right" if name else "left", no_wrap=True)
    for one in delays:
        added = [f"{value:+.3f}" for value in (one.p50_added_ms, one.p99_added_ms)]
        drawn.add_row(one.name, f"{one.delivered}/{one.injected}", f"{one.p50_ms:.3f}", f"{one.p99_ms:.3f}", *added)
    return drawn


def main() -> int:
    """Measure, and print the table or the object; 1 if a key was swallowed, or the agent's p99 is above the bar."""
    parser = argparse.ArgumentParser(prog="./dev bench delay", description="How much later a key reaches an application.")
    parser.add_argument("--keys", type=int, default=KEYS, metavar="N", help="for each contestant (%(default)s)")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    chosen = parser.parse_args()
    with stage() as desktop:
        delays = measure(desktop, chosen.keys)
    if chosen.json:
        sys.stdout.write(json.dumps([asdict(one) for one in delays]) + "\n")
    else:
        Console(highlight=False).print(table(delays))
    swallowed = any(one.delivered < one.injected for one in delays)
    return int(swallowed or delays[-1].p99_added_ms > BAR_MS)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except AgentError as error:
        sys.exit(f"bench: {error}")
