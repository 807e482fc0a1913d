"""The six pictures: told apart without colour, legible on dark and light."""

from itertools import combinations

import pytest

from agent.tray.look import Look
from agent.tray.picture import SIZES_PX, argb

SMALLEST_PX = 16


def pixels(look: Look, size_px: int) -> list[tuple[int, ...]]:
    data = argb(look, size_px)
    return [tuple(data[start : start + 4]) for start in range(0, len(data), 4)]


def shape(look: Look) -> list[bool]:
    """Where the picture is filled, colour left out: pixels much lighter than the outline."""
    return [alpha > 127 and max(rgb) > 110 for alpha, *rgb in pixels(look, SMALLEST_PX)]


@pytest.mark.parametrize(("one", "other"), list(combinations(Look, 2)))
def test_any_two_looks_differ_in_shape_at_the_smallest_size(one: Look, other: Look) -> None:
    """Someone who sees no colours tells them apart at 16 pixels: at least 16 of the 256 pixels differ."""
    different = sum(a != b for a, b in zip(shape(one), shape(other), strict=True))
    assert different >= SMALLEST_PX


@pytest.mark.parametrize("look", Look)
def test_every_look_shows_on_dark_and_on_light(look: Look) -> None:
    """Light fill for dark panels, dark outline for light ones: both are there."""
    solid = [rgb for alpha, *rgb in pixels(look, SMALLEST_PX) if alpha > 200]
    assert sum(max(rgb) > 150 for rgb in solid) >= SMALLEST_PX
    assert sum(max(rgb) < 90 for rgb in solid) >= SMALLEST_PX


@pytest.mark.parametrize("size_px", SIZES_PX)
def test_a_picture_has_four_bytes_a_pixel_and_clear_corners(size_px: int) -> None:
    """The size that hosts are told is the size of the bytes; nothing is drawn into the top corners."""
    for look in Look:
        assert len(argb(look, size_px)) == 4 * size_px * size_px
        assert pixels(look, size_px)[0][0] == 0


def test_pictures_are_even() -> None:
    """Left and right agree in all but the one with a slash: the drawing is not off by a pixel."""
    for look in set(Look) - {Look.EXEMPT}:
        rows = [pixels(look, 32)[start : start + 32] for start in range(0, 1024, 32)]
        assert all(row == row[::-1] for row in rows)
