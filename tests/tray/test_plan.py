"""The badge's layout: nothing overlaps, everything fits, and stopping for good takes two clicks in two places."""

from itertools import combinations

import pytest

from agent.tray.look import CODE_IS_SHOWN, Act, Shown
from agent.tray.plan import Box, Plan, corners, plan
from consent.vocabulary import State

SHOWN = [Shown(state=state, words="some words", code=code) for state in State for code in (None, "123456")]


def planned(shown: Shown, *, asking: bool = False) -> Plan:
    return plan(shown, asking=asking, ascent=11, descent=3, width_of=lambda text: 7 * len(text))


@pytest.mark.parametrize("asking", [False, True])
@pytest.mark.parametrize("shown", SHOWN, ids=str)
def test_everything_fits_and_nothing_overlaps(shown: Shown, asking: bool) -> None:
    """Picture, lines and buttons lie within the badge and apart from each other."""
    badge = planned(shown, asking=asking)
    whole = Box(0, 0, badge.width, badge.height)
    lines = [Box(x, baseline - 11, 7 * len(text), 14) for x, baseline, text in badge.lines]
    boxes = [badge.picture, *lines, *(button.box for button in badge.buttons)]
    assert all(box.within(whole) for box in boxes)
    assert not any(one.meets(other) for one, other in combinations(boxes, 2))


def test_the_badge_says_where_the_code_is_only_while_there_is_one() -> None:
    """The code itself is on the card, whatever form the indicator has."""
    assert any(text == CODE_IS_SHOWN for _, _, text in planned(Shown(state=State.UNASKED, code="123456")).lines)
    assert not any("code" in text for _, _, text in planned(Shown(state=State.UNASKED)).lines)


@pytest.mark.parametrize("state", [State.CONSENTED, State.PAUSED, State.EXEMPT, State.BLOCKED])
def test_stopping_for_good_is_not_where_the_first_click_was(state: State) -> None:
    """A double click on Stop must not erase: the confirming button lies elsewhere, and the badge stays where it is."""
    before, after = planned(Shown(state=state)), planned(Shown(state=state), asking=True)
    stop = before.buttons[-1]
    confirm = next(button for button in after.buttons if button.asks is Act.WITHDRAW)
    assert (before.width, before.height) == (after.width, after.height)
    assert all(button.asks is not Act.WITHDRAW for button in before.buttons)
    assert not confirm.box.meets(stop.box)


def test_every_corner_lies_on_the_screen() -> None:
    """Wherever the person sends it, all of it can be seen; also on a second monitor's coordinates."""
    screen = Box(1920, 100, 1280, 720)
    assert all(Box(x, y, 300, 80).within(screen) for x, y in corners(screen, 300, 80))
    assert len(set(corners(screen, 300, 80))) == 4
