"""The six pictures, drawn from distances to simple shapes: a fill that shows on dark panels, an outline that shows on light ones. Pure.

No image library: four sizes of one picture are 4,388 pixels, drawn once each and kept by the caller (20 ms).
Shape alone tells them apart; colour only helps.
"""

from collections.abc import Callable
from math import hypot

from agent.tray.look import Look

SIZES_PX = (22, 24, 32, 48)
"""What panels ask for; they scale down from the next larger one."""

_Distance = Callable[[float, float], float]
_Colour = tuple[int, int, int]
_OUTLINE: _Colour = (24, 26, 30)
_OUTLINE_WIDTH = 0.13
_NEVER = 9.0

_COLOURS: dict[Look, _Colour] = {
    Look.RECORDING: (255, 92, 92),
    Look.ELSEWHERE: (246, 246, 246),
    Look.PAUSED: (122, 190, 255),
    Look.EXEMPT: (190, 160, 255),
    Look.OFF: (176, 182, 190),
    Look.BLOCKED: (255, 200, 60),
}


def argb(look: Look, size_px: int) -> bytes:
    """The picture as rows of 4 bytes a pixel: alpha, red, green, blue, not premultiplied (StatusNotifierItem's IconPixmap)."""
    shape, hole = _SHAPES[look]
    fill = _COLOURS[look]
    unit = 2 / size_px
    out = bytearray()
    for row in range(size_px):
        y = (row + 0.5) * unit - 1
        for column in range(size_px):
            x = (column + 0.5) * unit - 1
            distance = shape(x, y)
            inside = _cover(distance, unit) * (1 - _cover(hole(x, y), unit))
            alpha = _cover(distance - _OUTLINE_WIDTH, unit)
            out.append(round(255 * alpha))
            out += bytes(round(dark + (light - dark) * inside) for dark, light in zip(_OUTLINE, fill, strict=True))
    return bytes(out)


def _cover(distance: float, unit: float) -> float:
    """How much of a pixel lies within a shape whose edge is `distance` from its middle (negative: inside)."""
    return min(1.0, max(0.0, 0.5 - distance / unit))


def _disc(x: float, y: float, radius: float) -> float:
    return hypot(x, y) - radius


def _ring(x: float, y: float, radius: float, half: float) -> float:
    return abs(hypot(x, y) - radius) - half


def _box(x: float, y: float, half_width: float, half_height: float, rounding: float) -> float:
    dx, dy = abs(x) - half_width + rounding, abs(y) - half_height + rounding
    return hypot(max(dx, 0.0), max(dy, 0.0)) + min(max(dx, dy), 0.0) - rounding


def _dot_in_ring(x: float, y: float) -> float:
    return min(_ring(x, y, 0.72, 0.10), _disc(x, y, 0.40))


def _hollow_ring(x: float, y: float) -> float:
    return _ring(x, y, 0.66, 0.16)


def _two_bars(x: float, y: float) -> float:
    return _box(abs(x) - 0.43, y, 0.20, 0.72, 0.08)


def _barred_ring(x: float, y: float) -> float:
    return min(_ring(x, y, 0.70, 0.12), _box((x + y) * 0.7071, (x - y) * 0.7071, 0.70, 0.12, 0.0))


def _broken_ring(x: float, y: float) -> float:
    """A ring with its top missing."""
    return max(_ring(x, y, 0.68, 0.14), -_box(x, y + 0.80, 0.42, 0.60, 0.0))


def _triangle(x: float, y: float) -> float:
    """Upright, its base at 0.66, its top at -0.74."""
    return max(y - 0.66, abs(x) * 0.876 - (y + 0.74) * 0.482)


def _exclamation(x: float, y: float) -> float:
    return min(_box(x, y, 0.11, 0.30, 0.05), _disc(x, y - 0.46, 0.13))


def _nothing(_x: float, _y: float) -> float:
    return _NEVER


_SHAPES: dict[Look, tuple[_Distance, _Distance]] = {
    Look.RECORDING: (_dot_in_ring, _nothing),
    Look.ELSEWHERE: (_hollow_ring, _nothing),
    Look.PAUSED: (_two_bars, _nothing),
    Look.EXEMPT: (_barred_ring, _nothing),
    Look.OFF: (_broken_ring, _nothing),
    Look.BLOCKED: (_triangle, _exclamation),
}
