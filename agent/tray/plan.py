"""Where things stand on the badge: lines, buttons, corners. Pure; all lengths in physical pixels."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from agent.tray.look import PAUSE_MINUTES, TITLE, Act, Shown, code_line, plain_lines

PICTURE_PX = 32
_PAD = 8
_GAP = 6


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle."""

    x: int
    y: int
    width: int
    height: int

    def holds(self, x: int, y: int) -> bool:
        """Whether the point is within."""
        return self.x <= x < self.x + self.width and self.y <= y < self.y + self.height

    def meets(self, other: "Box") -> bool:
        """Whether the two share a pixel."""
        across = self.x < other.x + other.width and other.x < self.x + self.width
        return across and self.y < other.y + other.height and other.y < self.y + self.height

    def within(self, other: "Box") -> bool:
        """Whether all of it lies in the other."""
        last_x, last_y = self.x + self.width - 1, self.y + self.height - 1
        return other.holds(self.x, self.y) and other.holds(last_x, last_y)

    def moved(self, by_x: int, by_y: int) -> "Box":
        """The same, elsewhere."""
        return Box(self.x + by_x, self.y + by_y, self.width, self.height)


@dataclass(frozen=True, slots=True)
class Button:
    """A button. `asks`: what a click asks for; None opens or closes the question whether to stop for good."""

    label: str
    asks: Act | None
    box: Box


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole badge: its size, its lines with the place of their baseline's left end, its buttons."""

    width: int
    height: int
    lines: tuple[tuple[int, int, str], ...]
    buttons: tuple[Button, ...]
    picture: Box

    def pressed(self, x: int, y: int) -> Button | None:
        """The button at that point."""
        return next((button for button in self.buttons if button.box.holds(x, y)), None)


def plan(shown: Shown, *, asking: bool, ascent: int, descent: int, width_of: Callable[[str], int]) -> Plan:
    """The badge for what is shown, in a font of that ascent and descent. `asking`: the question about stopping is open."""
    line_px = ascent + descent + 3
    texts = _texts(shown)
    left = _PAD + PICTURE_PX + _PAD
    lines = tuple((left, _PAD + ascent + number * line_px, text) for number, text in enumerate(texts))
    top = max(_PAD + PICTURE_PX, _PAD + len(texts) * line_px) + _GAP
    row = _row(shown, top, line_px + 6, width_of)
    question = _question(row, width_of)
    buttons = question if asking and question else row
    widest = [left + max(map(width_of, texts)), *(button.box.x + button.box.width for button in (*row, *question))]
    height = top + line_px + 6 + _PAD if row else top - _GAP + _PAD
    return Plan(max(widest) + _PAD, height, lines, buttons, Box(_PAD, _PAD, PICTURE_PX, PICTURE_PX))


def corners(screen: Box, width: int, height: int, margin: int = 12) -> tuple[tuple[int, int], ...]:
    """Where the badge may stand, the usual corner first."""
    left, top = screen.x + margin, screen.y + margin
    right, bottom = screen.x + screen.width - width - margin, screen.y + screen.height - height - margin
    return (right, bottom), (left, bottom), (left, top), (right, top)


def _texts(shown: Shown) -> tuple[str, ...]:
    first, *others = plain_lines(shown)
    code = code_line(replace(shown, read_aloud=False))
    return (f"{TITLE}: {first}", *([code] if code else []), *others)


def _row(shown: Shown, top: int, height: int, width_of: Callable[[str], int]) -> tuple[Button, ...]:
    choices: tuple[tuple[Act, str, Act | None], ...] = (
        (Act.PAUSE, f"Pause {PAUSE_MINUTES} minutes", Act.PAUSE),
        (Act.RESUME, "Resume", Act.RESUME),
        (Act.WITHDRAW, "Stop for good...", None),
    )
    buttons: list[Button] = []
    x = _PAD
    for needs, label, asks in choices:
        if needs in shown.can:
            buttons.append(Button(label, asks, Box(x, top, width_of(label) + 2 * _PAD, height)))
            x = buttons[-1].box.x + buttons[-1].box.width + _GAP
    return tuple(buttons)


def _question(row: tuple[Button, ...], width_of: Callable[[str], int]) -> tuple[Button, ...]:
    """Instead of the row: No, just where Stop was, and the erasing button beside it, where nothing was: a double click erases nothing.

    Both rows make the badge equally wide, so that asking moves nothing on the screen.
    """
    if not row or row[-1].asks is not None:
        return ()
    stop = row[-1].box
    label = "Stop now: erase what is held here"
    sure = Box(stop.x + stop.width + _GAP, stop.y, width_of(label) + 2 * _PAD, stop.height)
    return Button("No, go on", None, stop), Button(label, Act.WITHDRAW, sure)
