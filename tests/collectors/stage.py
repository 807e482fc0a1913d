"""A shaper with a clock that only moves when told, and a US keyboard in front of it."""

from collectors.keymap import Keymap, KeysDown
from collectors.pipe import Grant, Observed
from collectors.raw import Button, Front, Geometry, Monitor, NoRole, Point, Role, Went
from collectors.shape import HOLD_MS, Shaper
from consent.event import Clocks, Event, FieldRole
from consent.vocabulary import Kind, SurfaceId, Why

START_MS = 10_000_000
WALL_MS = 1_700_000_000_000
EDITOR = Front(SurfaceId("editor"), 1)
DIALOG = Front(SurfaceId("dialog"), 2)
TERMINAL = Front(SurfaceId("terminal"), 3, structure_only=True)
ELSEWHERE = Front()
OWN = Front(own=True)
GEOMETRY = Geometry(10, 20, 600, 400, 1280, 800)
LEFT, TOP = GEOMETRY.x, GEOMETRY.y

KEYS = {
    "a": (0x61, 0x41),
    "s": (0x73, 0x53),
    "z": (0x7A, 0x5A),
    "1": (0x31, 0x21),
    "space": (0x20, 0x20),
    "semicolon": (0x3B, 0x3A),
    "Return": (0xFF0D, 0),
    "Tab": (0xFF09, 0xFE20),
    "BackSpace": (0xFF08, 0xFF08),
    "Delete": (0xFFFF, 0),
    "Down": (0xFF54, 0),
    "F5": (0xFFC2, 0),
    "Mute": (0x1008FF12, 0),
    "Caps": (0xFFE5, 0),
    "Shift": (0xFFE1, 0),
    "Control": (0xFFE3, 0),
    "Alt": (0xFFE9, 0xFFE7),
    "Super": (0xFFEB, 0),
    "AltGr": (0xFE03, 0),
    "NumLock": (0xFF7F, 0),
    "KP_7": (0xFF95, 0xFFB7),
}
FIRST = 8
CODES = {name: FIRST + at for at, name in enumerate(KEYS)}
STATES = {"Shift": 1, "Control": 4, "Alt": 8, "NumLock": 16, "Super": 64, "AltGr": 128}
MODIFIERS = [
    [CODES["Shift"], 0],
    [CODES["Caps"], 0],
    [CODES["Control"], 0],
    [CODES["Alt"], 0],
    [CODES["NumLock"], 0],
    [0, 0],
    [CODES["Super"], 0],
    [CODES["AltGr"], 0],
]


def us_keymap() -> Keymap:
    """The keyboard of these tests."""
    return Keymap(FIRST, list(KEYS.values()), MODIFIERS)


class Stage:
    """Inputs by name, at the time that the clock says."""

    def __init__(self, kinds: frozenset[Kind] = frozenset(Kind)) -> None:
        self.ms = START_MS
        self.shaper = Shaper(Grant(7, kinds, ()), self.now)
        self.keyboard = KeysDown(us_keymap())
        self._state = 0
        self.arrived = 0
        self.monitor = Monitor(0, 0, 1280, 800)
        self.told: list[Observed] = []

    @property
    def now(self) -> Clocks:
        """The clocks; the machine has slept an hour since it was started."""
        return Clocks(self.ms, self.ms + 3_600_000, WALL_MS + self.ms)

    def in_editor(self, role: Role = FieldRole.TEXT) -> "Stage":
        """The editor is in front, and what has the focus there is known."""
        self.front(EDITOR)
        self.shaper.role(self.now, role)
        self.later(300)
        self.take()
        self.told.clear()
        return self

    def later(self, ms: int) -> None:
        """Time goes by, and what is due is done."""
        self.ms += ms
        self.shaper.advance(self.now)

    def front(self, front: Front, geometry: Geometry | None = GEOMETRY) -> None:
        """Another window is in front."""
        self.shaper.front(self.now, front, geometry if front.window else None)

    def switch(self, front: Front, after_ms: int = 3) -> None:
        """The server moves the focus to another window, and the window manager says so soon after."""
        self.shaper.unsettled(self.now)
        self.ms += after_ms
        self.front(front)

    def focus(self, role: Role = NoRole.UNKNOWN) -> None:
        """Something else has the focus."""
        self.shaper.focused(self.now, role)

    def press(self, name: str) -> None:
        """A key goes down, or repeats."""
        self.arrived += 1
        self.shaper.key(self.keyboard.press(self.now, CODES[name], self._state))
        self._state |= STATES.get(name, 0)

    def release(self, name: str) -> None:
        """A key goes up."""
        self.arrived += 1
        self.shaper.key(self.keyboard.release(self.now, CODES[name]))
        self._state &= ~STATES.get(name, 0)

    def strike(self, *names: str) -> None:
        """Hold all but the last, press the last, release all; 10 ms each."""
        for name in names:
            self.press(name)
            self.ms += 10
        for name in reversed(names):
            self.release(name)
            self.ms += 10

    def button(self, number: int, down: bool, window: int = 1, own: bool = False, over_since_ms: int = 0) -> None:
        """A button goes down or up over a window."""
        self.arrived += 1
        self.shaper.button(Button(self.now, number, down, window, own, 40, 50, LEFT, TOP, self.monitor, over_since_ms))

    def click(self, number: int = 1, window: int = 1) -> None:
        """A button goes down and up."""
        self.button(number, True, window)
        self.button(number, False, window)

    def went(self, x: int, y: int, n: int = 1, held: bool = False) -> None:
        """The pointer goes to a place of the window, by so many moves, of which the first is looked at."""
        self.arrived += n
        point = Point(self.now, LEFT + x, TOP + y, n, held, self.monitor)
        self.shaper.went(Went(self.now, 0, (point,)))

    def way(self, *places: tuple[int, int], held: bool = False, step_ms: int = 40) -> None:
        """One move to each of these places, and time goes by after each."""
        for x, y in places:
            self.went(x, y, held=held)
            self.later(step_ms)

    def more(self, n: int) -> None:
        """So many moves that are too close to the last to be looked at."""
        self.arrived += n
        self.shaper.went(Went(self.now, n))

    def take(self) -> None:
        """What the observer would say now."""
        told = self.shaper.take()
        for message in told:
            assert message.seen == sum(event.n for event in message.events) + sum(message.dropped.values())
        self.told += told

    def settle(self) -> list[Event]:
        """Wait until nothing is open; all events since the last time."""
        self.later(HOLD_MS)
        self.later(2_000)
        self.take()
        return [event for message in self.told for event in message.events]

    @property
    def seen(self) -> int:
        """All that was told of."""
        return sum(message.seen for message in self.told)

    @property
    def dropped(self) -> dict[Why, int]:
        """What was refused, by reason."""
        total: dict[Why, int] = {}
        for message in self.told:
            for why, n in message.dropped.items():
                total[why] = total.get(why, 0) + n
        return total
