"""The menu and its D-Bus form: words on top, one click to pause, two levels to stop, and every way a host may click."""

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.tray import dbusmenu, menu
from agent.tray.exported import ITEM, ITEM_PATH, MENU, MENU_PATH, Exported, Pictures
from agent.tray.look import CODE_IS_SHOWN, Act, Shown
from agent.tray.reply import NotHere, Reply
from consent.vocabulary import State

PAUSED = Shown(state=State.PAUSED, pause_left_s=600, code="123456")
ON = Shown(state=State.CONSENTED, recorded=True)
PAUSE, RESUME, STOP, STOP_NOW = 6, 7, 9, 10


def exported(shown: Shown, *, stale: bool = False) -> Exported:
    return Exported(shown, menu.build(shown), 7, stale, Pictures())


def labels(shown: Shown) -> list[str]:
    return [item.label for item in menu.build(shown).children if not item.separator]


def click(shown: Shown, item_id: int, event: str = "clicked") -> tuple[Act, ...]:
    return dbusmenu.answer(menu.build(shown), 1, False, "Event", (item_id, event, ("s", ""), 0)).acts


def test_the_menu_reads_from_state_to_stop() -> None:
    """State in words, code, then Pause, Resume, Stop."""
    assert labels(PAUSED) == [
        "Paused · 10 min left",
        CODE_IS_SHOWN,
        "Pause 30 minutes",
        "Resume",
        "Stop for good",
    ]
    assert labels(ON)[0] == "Recording this window"


def test_each_act_is_clicked_by_its_own_item() -> None:
    """Pause pauses, Resume resumes, only the item below Stop withdraws."""
    assert click(PAUSED, PAUSE) == (Act.PAUSE,)
    assert click(PAUSED, RESUME) == (Act.RESUME,)
    assert click(PAUSED, STOP_NOW) == (Act.WITHDRAW,)
    assert click(PAUSED, STOP) == ()


def test_a_click_on_what_is_disabled_asks_for_nothing() -> None:
    """A host that sends it anyway, or late, changes nothing; nor does hovering."""
    assert click(ON, RESUME) == ()
    assert click(Shown(state=State.WITHDRAWN), STOP_NOW) == ()
    assert click(PAUSED, PAUSE, "hovered") == ()


def test_event_group_clicks_too_and_names_unknown_items() -> None:
    """Hosts send EventGroup instead of Event; losing it loses clicks without a word."""
    events = [(PAUSE, "clicked", ("s", ""), 0), (99, "clicked", ("s", ""), 0)]
    reply = dbusmenu.answer(menu.build(ON), 1, False, "EventGroup", (events,))
    assert (reply.acts, reply.body) == ((Act.PAUSE,), ([99],))


def test_about_to_show_tells_the_host_when_its_copy_is_old() -> None:
    """So a countdown is right at the moment it is read, without a timer."""
    assert dbusmenu.answer(menu.build(PAUSED), 1, True, "AboutToShow", (0,)).body == (True,)
    assert dbusmenu.answer(menu.build(PAUSED), 1, False, "AboutToShow", (0,)).body == (False,)
    assert dbusmenu.answer(menu.build(PAUSED), 1, True, "AboutToShowGroup", ([0, 99],)).body == ([0], [99])


def test_the_code_is_nowhere_on_the_bus() -> None:
    """Tooltip, title, the rest of the item and the menu do not know it; for a screen reader the menu's line alone does."""
    item = exported(PAUSED).answer(ITEM_PATH, "org.freedesktop.DBus.Properties", "GetAll", (ITEM,))
    assert "123" not in repr(item).replace(repr(item.body[0]["IconPixmap"]), "")
    assert CODE_IS_SHOWN in item.body[0]["ToolTip"][1][3]
    for shown, times in ((PAUSED, 0), (replace(PAUSED, read_aloud=True), 1)):
        layout = exported(shown).answer(MENU_PATH, MENU, "GetLayout", (0, -1, []))
        assert repr(layout).count("123 456") == times
        tooltip = exported(shown).answer(ITEM_PATH, "org.freedesktop.DBus.Properties", "GetAll", (ITEM,)).body[0]["ToolTip"]
        assert "123 456" not in repr(tooltip)


def test_labels_cannot_make_mnemonics() -> None:
    """An underscore in words stays an underscore."""
    assert menu.properties(menu.Item(1, "a_b"))["label"] == ("s", "a__b")


def test_only_reading_the_picture_counts_as_having_it() -> None:
    """The proof rests on this: GetAll and Get of IconPixmap, nothing else."""
    properties = "org.freedesktop.DBus.Properties"
    assert exported(ON).answer(ITEM_PATH, properties, "GetAll", (ITEM,)).pictured
    assert exported(ON).answer(ITEM_PATH, properties, "Get", (ITEM, "IconPixmap")).pictured
    assert not exported(ON).answer(ITEM_PATH, properties, "Get", (ITEM, "Title")).pictured
    assert not exported(ON).answer(MENU_PATH, properties, "GetAll", (MENU,)).pictured


BODIES = st.recursive(
    st.none() | st.integers() | st.text(max_size=4) | st.booleans() | st.binary(max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.tuples(inner, inner),
    max_leaves=8,
)
MEMBERS = ["Get", "GetAll", "Set", "GetLayout", "Event", "EventGroup", "GetProperty", "GetGroupProperties", "AboutToShowGroup", "Activate"]


@given(
    st.sampled_from([ITEM_PATH, MENU_PATH, "/"]),
    st.sampled_from([ITEM, MENU, "org.freedesktop.DBus.Properties", "org.freedesktop.DBus.Introspectable", ""]),
    st.sampled_from(MEMBERS),
    st.lists(BODIES, max_size=4),
)
def test_no_call_breaks_the_icon(path: str, interface: str, member: str, body: list[Any]) -> None:
    """Anyone in the session may call; each gets a reply or the standard error."""
    with suppress(NotHere):
        assert isinstance(exported(PAUSED).answer(path, interface, member, tuple(body)), Reply)


def test_introspection_names_both_objects() -> None:
    """What the icon has can be asked for."""
    for path, interface in ((ITEM_PATH, ITEM), (MENU_PATH, MENU)):
        xml = exported(ON).answer(path, "org.freedesktop.DBus.Introspectable", "Introspect", ()).body[0]
        assert f'<interface name="{interface}">' in xml
    with pytest.raises(NotHere):
        exported(ON).answer("/", "org.freedesktop.DBus.Introspectable", "Introspect", ())
