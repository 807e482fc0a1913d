"""The fixed workload: what a person does in about two minutes, as one list of timed inputs. Pure: the seed decides everything.

Typing, clicking, scrolling, menus by keyboard, a terminal, a file list, switching windows, a password in a dialog, and three
idle stretches. The same seed gives the same list, to the millisecond, whatever is being measured.
"""

import math
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

SEED = 20260101
WIDTH, HEIGHT = 1920, 1080
MOVES, CLICKS = 1000, 60
"""The whole workload has exactly these, so that a shortfall shows at a glance."""


class Input(StrEnum):
    """What happens at one instant."""

    MOVE = "move"
    BUTTON_DOWN = "button_down"
    BUTTON_UP = "button_up"
    KEY_DOWN = "key_down"
    KEY_UP = "key_up"
    DIALOG = "dialog"  # no input: an application opens its password dialog


@dataclass(frozen=True, slots=True)
class Timed:
    """One input of the workload.

    Attributes:
        at_s: Seconds from the start.
        what: Which sort.
        detail: (x, y) of a move, the number of a button, the keysym of a key.
    """

    at_s: float
    what: Input
    detail: tuple[int, int] | int | str


@dataclass(frozen=True, slots=True)
class Stretch:
    """A named part of the workload, in seconds from the start."""

    name: str
    from_s: float
    to_s: float


@dataclass(frozen=True, slots=True)
class Rectangle:
    """Where a window of the workload stands, in pixels."""

    x: int
    y: int
    width: int
    height: int


WINDOWS = {
    "terminal": Rectangle(20, 20, 700, 480),
    "editor": Rectangle(980, 40, 900, 940),
    "files": Rectangle(20, 560, 800, 480),
}
EDITOR, TERMINAL, FILES = (1400, 300), (300, 250), (400, 800)
_KEYSYMS = {" ": "space", "\n": "Return", "-": "minus", ".": "period", ",": "comma", "/": "slash", ";": "semicolon"}
_WHEEL_UP, _WHEEL_DOWN = 4, 5
_PASSWORD = "Hunter2-XQZPASS-7731"


@dataclass(slots=True)
class Script:
    """Writes the list, with a pen that knows the time and where the pointer is."""

    random: Random
    now_s: float = 1.0
    at: tuple[int, int] = (WIDTH // 2, HEIGHT // 2)
    inputs: list[Timed] = field(default_factory=list)
    marks: list[tuple[str, float]] = field(default_factory=list)

    def mark(self, name: str) -> None:
        """A new stretch begins."""
        self.marks.append((name, round(self.now_s, 3)))

    def put(self, what: Input, detail: tuple[int, int] | int | str, after_s: float = 0.0) -> None:
        """One input, `after_s` seconds from the pen's time."""
        self.inputs.append(Timed(round(self.now_s + after_s, 4), what, detail))

    def rest(self, seconds: float) -> None:
        """Nothing happens for a while."""
        self.now_s += seconds

    def key(self, keysym: str) -> None:
        """A key goes down, and up after 40 ms."""
        self.put(Input.KEY_DOWN, keysym)
        self.put(Input.KEY_UP, keysym, 0.04)

    def type(self, text: str, keys_per_s: float = 5.0) -> None:
        """Characters, at an uneven pace."""
        for character in text:
            shifted = character.isupper()
            if shifted:
                self.put(Input.KEY_DOWN, "Shift_L", -0.02)
            self.key(_KEYSYMS.get(character, character))
            if shifted:
                self.put(Input.KEY_UP, "Shift_L", 0.06)
            self.rest(1 / keys_per_s * (0.75 + 0.5 * self.random.random()))

    def chord(self, modifier: str, trigger: str) -> None:
        """A modifier down, a key, the modifier up."""
        self.put(Input.KEY_DOWN, modifier)
        self.rest(0.03)
        self.key(trigger)
        self.rest(0.08)
        self.put(Input.KEY_UP, modifier)
        self.rest(0.33)

    def move(self, to: tuple[int, int], steps: int, per_s: float = 60.0) -> None:
        """Exactly `steps` real moves on a bowed path, slow at both ends."""
        (from_x, from_y), bow = self.at, self.random.uniform(-0.25, 0.25)
        dx, dy = to[0] - from_x, to[1] - from_y
        for step in range(1, steps + 1):
            u = step / steps
            along, aside = u * u * (3 - 2 * u), math.sin(math.pi * u) * bow
            x = min(WIDTH - 1, max(0, round(from_x + dx * along - dy * aside)))
            y = min(HEIGHT - 1, max(0, round(from_y + dy * along + dx * aside)))
            if (x, y) == self.at:
                x += 1 if x < WIDTH - 1 else -1  # a move that is none would not be reported
            self.put(Input.MOVE, (x, y))
            self.at = (x, y)
            self.rest(1 / per_s)

    def click(self, button: int = 1) -> None:
        """A button goes down, and up after 60 ms."""
        self.put(Input.BUTTON_DOWN, button)
        self.put(Input.BUTTON_UP, button, 0.06)
        self.rest(0.3)

    def scroll(self, notches: int, button: int) -> None:
        """The wheel turns, one notch every 80 ms."""
        for _ in range(notches):
            self.put(Input.BUTTON_DOWN, button)
            self.put(Input.BUTTON_UP, button, 0.005)
            self.rest(0.08)

    def scroll_both_ways(self, notches: int, first: int) -> None:
        """The wheel turns there and back."""
        self.scroll(notches, first)
        self.scroll(notches, _WHEEL_UP + _WHEEL_DOWN - first)

    def count(self, what: Input) -> int:
        """How many so far; for buttons, the wheel apart."""
        wheel = (_WHEEL_UP, _WHEEL_DOWN)
        return sum(1 for timed in self.inputs if timed.what is what and timed.detail not in wheel)


@dataclass(frozen=True, slots=True)
class Workload:
    """The workload, ready to be played.

    Attributes:
        inputs: In the order of time.
        stretches: Its parts, in order.
        seconds: How long it takes.
    """

    inputs: tuple[Timed, ...]
    stretches: tuple[Stretch, ...]
    seconds: float


def workload(seed: int = SEED, seconds: float = math.inf) -> Workload:
    """The whole workload of one seed, or its beginning."""
    script = Script(Random(seed))
    for part in (_write, _point, _idle_long, _menus, _terminal, _paste, _files, _idle, _switch, _password, _fill, _idle_end):
        part(script)
    script.mark("end")
    end_s = math.floor(min(script.now_s, seconds) * 1000) / 1000
    begun = [(name, at_s) for name, at_s in script.marks if at_s < end_s]
    ends = [at_s for _, at_s in begun[1:]] + [end_s]
    stretches = tuple(Stretch(name, at_s, to_s) for (name, at_s), to_s in zip(begun, ends, strict=True) if name != "end")
    inputs = sorted((timed for timed in script.inputs if timed.at_s < end_s), key=lambda timed: timed.at_s)
    return Workload((*inputs, *_releases(inputs, end_s)), stretches, end_s)


def _releases(inputs: list[Timed], end_s: float) -> list[Timed]:
    """What is still down where the workload is cut off is let go."""
    opposite = {Input.KEY_DOWN: Input.KEY_UP, Input.BUTTON_DOWN: Input.BUTTON_UP}
    down: dict[tuple[Input, object], Timed] = {}
    for timed in inputs:
        if timed.what in opposite:
            down[opposite[timed.what], timed.detail] = timed
        else:
            down.pop((timed.what, timed.detail), None)
    return [Timed(end_s, what, timed.detail) for (what, _), timed in down.items()]


def _write(script: Script) -> None:
    script.mark("typing")
    script.move(EDITOR, 40)
    script.click()
    script.chord("Control_L", "End")
    script.type(
        "Quarterly revenue draft zebra-kumquat-1789. Please call the supplier about the late pallets, "
        "then send the plan to the whole team.\n"
    )


def _point(script: Script) -> None:
    script.mark("mouse")
    for _ in range(6):
        script.move((script.random.randint(1000, 1850), script.random.randint(150, 950)), 30)
        script.click()
    script.mark("scroll")
    script.move(EDITOR, 20)
    script.scroll_both_ways(10, _WHEEL_UP)


def _idle_long(script: Script) -> None:
    script.mark("idle 1")
    script.rest(14)


def _menus(script: Script) -> None:
    script.mark("menu")
    for _ in range(3):
        script.move((1039, 72), 20)
        script.click()
        script.rest(0.3)
        for keysym, seconds in (("Down", 0.25), ("Down", 0.25), ("Escape", 0.3)):
            script.key(keysym)
            script.rest(seconds)
    script.chord("Control_L", "a")
    script.chord("Control_L", "c")


def _terminal(script: Script) -> None:
    script.mark("terminal")
    script.move(TERMINAL, 40)
    script.click()
    script.type("ls -l; echo pangolin-terminal-4402\n")
    script.type("read -s -p Password- pw\n", 8)
    script.rest(0.4)
    script.type(_PASSWORD + "\n")


def _paste(script: Script) -> None:
    script.mark("paste")
    script.move(EDITOR, 40)
    script.click()
    script.chord("Control_L", "End")
    script.chord("Control_L", "v")
    script.chord("Control_L", "v")


def _files(script: Script) -> None:
    script.mark("files")
    script.move(FILES, 40)
    script.click()
    script.scroll_both_ways(10, _WHEEL_DOWN)
    for place in range(8):
        script.move((260 + place % 4 * 150, 640 + place // 4 * 120), 15)
        script.click(3 if place == 7 else 1)
    script.key("Escape")
    script.rest(0.4)


def _idle(script: Script) -> None:
    script.mark("idle 2")
    script.rest(12)


def _switch(script: Script) -> None:
    script.mark("switch")
    for _ in range(6):
        script.chord("Alt_L", "Tab")
        script.rest(0.3)
    for _ in range(4):
        for window in (TERMINAL, EDITOR, FILES):
            script.move(window, 15)
            script.click()
            script.rest(0.1)


def _password(script: Script) -> None:
    script.mark("password")
    script.put(Input.DIALOG, "password")
    script.rest(1.6)
    script.type(_PASSWORD)
    script.key("Return")
    script.rest(0.8)


def _fill(script: Script) -> None:
    """Clicks and moves up to the round numbers of the whole."""
    script.mark("clicks")
    clicks, moves = CLICKS - script.count(Input.BUTTON_DOWN), MOVES - script.count(Input.MOVE)
    for click in range(clicks):
        steps = moves // clicks + (1 if click < moves % clicks else 0)
        script.move((script.random.randint(1000, 1850), script.random.randint(200, 950)), steps)
        script.click()


def _idle_end(script: Script) -> None:
    script.mark("idle 3")
    script.rest(max(1.0, 118.0 - script.now_s))
