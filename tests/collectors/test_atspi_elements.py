"""What is highlighted, against a bus that answers from a table: what is asked, of whom, and what is believed."""

from functools import partial
from typing import Any

import pytest

from collectors.backends.atspi import Accessibility
from collectors.labels import NoLabels
from collectors.raw import Button
from consent.event import ChosenBy, Element, Event, FieldRole
from consent.vocabulary import Kind
from consent.words import ElementRole
from tests.collectors.stage import EDITOR, TERMINAL
from tests.collectors.test_atspi import EDITOR_NAME, EDITOR_PID, ENTRY, OTHER_NAME, Desk

ITEM, MENU, ROOT = "/item", "/menu", "/org/a11y/atspi/accessible/root"
MENU_ITEM, MENU_ROLE, COMBO, TEXT = 35, 33, 11, 61
ENABLED, SENSITIVE, EDITABLE, EXPANDABLE, SHOWING, VISIBLE, HAS_POPUP = 8, 24, 7, 9, 25, 30, 42
USABLE = (ENABLED, SENSITIVE, SHOWING, VISIBLE)
SCREEN_BOX = (110, 220, 300, 25)
"""The window's corner is at 10, 20."""


class Words:
    """A vocabulary of one word."""

    def word(self, text: str) -> str:
        return text if text == "Open" else ""


def states(*numbers: int) -> tuple[list[int]]:
    """As AT-SPI tells them: two numbers of 32 bits."""
    mask = sum(1 << number for number in set(numbers))
    return ([mask & 0xFFFFFFFF, mask >> 32],)


class Menu(Desk):
    """A desk with an item in a menu of the editor."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, role: int = MENU_ITEM, parent: int = MENU_ROLE, above: int = 23) -> None:
        super().__init__(monkeypatch)
        self.answers |= {
            ("GetRole", ITEM): (role,),
            ("GetRole", MENU): (parent,),
            ("GetRole", "/above"): (above,),
            ("GetState", ITEM): states(*USABLE),
            ("GetIndexInParent", ITEM): (4,),
            ("GetExtents", ITEM): (SCREEN_BOX,),
            ("Get", ITEM, "org.a11y.atspi.Accessible", "Parent"): (("(so)", (EDITOR_NAME, MENU)),),
            ("Get", MENU, "org.a11y.atspi.Accessible", "Parent"): (("(so)", (EDITOR_NAME, "/above")),),
            ("Get", ITEM, "org.a11y.atspi.Accessible", "ChildCount"): (("i", 0),),
            ("Get", ITEM, "org.a11y.atspi.Accessible", "Name"): (("s", "Open  "),),
            ("Get", ROOT, "org.a11y.atspi.Application", "ToolkitName"): (("s", "gtk"),),
            ("Get", ROOT, "org.a11y.atspi.Application", "Version"): (("s", "3.24.38"),),
        }
        self.accessibility.watch(EDITOR_PID, Words())
        self.later(300)

    def say(self, what: str = "focused", on: int = 1, name: str = EDITOR_NAME, path: str = ITEM) -> None:
        """An object's state changed."""
        self.buses[-1].heard(name, path, "StateChanged", (what, on, 0, ("i", 0), {}))
        self.later(20)

    def gtk4(self) -> "Menu":
        """The toolkit is GTK 4: it neither knows where its windows are nor what is on the screen."""
        self.answers["Get", ROOT, "org.a11y.atspi.Application", "ToolkitName"] = (("s", "GTK"),)
        self.answers["Get", ROOT, "org.a11y.atspi.Application", "Version"] = (("s", "4.8.3"),)
        self.answers["GetState", ITEM] = states(SENSITIVE, VISIBLE)
        return self

    def enter(self) -> list[Any]:
        """What Enter chooses now."""
        self.stage.told.clear()
        self.stage.strike("Return")
        return [event.payload for event in self.stage.settle() if event.kind is Kind.ELEMENT]

    def click(self, x: int, y: int) -> list[ChosenBy]:
        """How a click at a point of the window chose, if it did."""
        self.stage.told.clear()
        self.say()
        for down in (True, False):
            self.stage.shaper.button(Button(self.stage.now, 1, down, 1, x=x, y=y))
            self.stage.arrived += 1
            self.later(80)
        return [event.payload.chosen_by for event in self.stage.settle() if isinstance(event.payload, Element)]

    @property
    def asked(self) -> list[tuple]:
        """All that was asked of the item."""
        return [question for question in self.buses[-1].asked if question[1] == ITEM]


CHOICE = Element(ElementRole.MENU_ITEM, 4, 100, 200, 300, 25, ChosenBy.ENTER, "Open")


def test_an_item_that_has_the_focus_is_what_enter_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its box is told from the window's corner; its name only because it is a word."""
    menu = Menu(monkeypatch)
    menu.say()
    assert menu.enter() == [CHOICE]


def test_what_is_said_twice_is_one_item(monkeypatch: pytest.MonkeyPatch) -> None:
    """GTK 3 says selected, then focused."""
    menu = Menu(monkeypatch)
    menu.say("selected")
    assert menu.enter() == []
    menu.say("focused")
    assert menu.enter() == [CHOICE]


def test_the_active_descendant_of_a_list_is_its_item(monkeypatch: pytest.MonkeyPatch) -> None:
    """GTK 3 tells of rows that way; a cell is what its parent is."""
    for parent, role in ((55, ElementRole.LIST_ITEM), (66, ElementRole.TREE_ITEM), (65, ElementRole.TREE_ITEM)):
        menu = Menu(monkeypatch, role=56, parent=parent)
        menu.buses[-1].heard(EDITOR_NAME, MENU, "ActiveDescendantChanged", ("", 4, 0, ("(so)", (EDITOR_NAME, ITEM)), {}))
        menu.later(20)
        assert [element.role for element in menu.enter()] == [role]
    menu = Menu(monkeypatch, role=56, parent=39)
    menu.say()
    assert menu.enter() == []


@pytest.mark.parametrize(("number", "parent"), [(35, 33), (32, 31), (56, 55)])
def test_an_item_in_a_combo_box_is_an_option(monkeypatch: pytest.MonkeyPatch, number: int, parent: int) -> None:
    """Its list may be a menu, a list or a table."""
    menu = Menu(monkeypatch, number, parent, above=COMBO)
    menu.say()
    assert [element.role for element in menu.enter()] == [ElementRole.OPTION]


@pytest.mark.parametrize(("number", "role"), [(8, "check_menu_item"), (45, "radio_menu_item"), (91, "tree_item"), (37, "tab")])
def test_other_items_are_what_their_role_says(monkeypatch: pytest.MonkeyPatch, number: int, role: str) -> None:
    """One word for each role."""
    menu = Menu(monkeypatch, number)
    menu.say()
    assert [element.role.value for element in menu.enter()] == [role]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (("GetState", ITEM), states(*USABLE, EDITABLE)),
        (("GetState", ITEM), states(*USABLE, HAS_POPUP)),
        (("GetState", ITEM), states(SHOWING, VISIBLE)),
        (("GetState", ITEM), states(ENABLED, SENSITIVE, VISIBLE)),
        (("GetRole", MENU), (34,)),
        (("GetIndexInParent", ITEM), (-1,)),
        (("Get", ITEM, "org.a11y.atspi.Accessible", "ChildCount"), (("i", 1),)),
        (("GetRole", ITEM), (TEXT,)),
        (("GetRole", ITEM), (40,)),
        *(((member, ITEM), None) for member in ("GetRole", "GetState", "GetIndexInParent")),
        (("Get", ITEM, "org.a11y.atspi.Accessible", "Parent"), None),
    ],
)
def test_what_cannot_be_chosen_is_no_item_and_its_name_is_not_asked_for(
    monkeypatch: pytest.MonkeyPatch, question: tuple, answer: tuple | None
) -> None:
    """Editable, opening another menu, greyed out, not on the screen, of a menu bar, of another role, or silent."""
    menu = Menu(monkeypatch)
    menu.answers[question] = answer
    menu.say()
    assert menu.enter() == []
    assert not any("Name" in asked for asked in menu.asked)


def test_no_question_is_about_text_or_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of no object; and names are asked for of items alone."""
    menu = Menu(monkeypatch)
    menu.say(path=ENTRY)
    menu.say()
    asked = menu.buses[-1].asked
    assert not any(question[0].startswith(("GetText", "GetCharacter")) or "CurrentValue" in question for question in asked)
    assert {question[1] for question in asked if "Name" in question} == {ITEM}
    assert not any("text" in str(question).lower() for question in asked if question[0] in ("AddMatch", "RegisterEvent"))


def test_without_a_vocabulary_no_name_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """There would be nothing to compare it with."""
    menu = Menu(monkeypatch)
    menu.accessibility.watch(EDITOR_PID, NoLabels())
    menu.later(300)
    menu.say()
    assert [element.label for element in menu.enter()] == [""]
    assert not any("Name" in asked for asked in menu.asked)


def test_a_name_that_is_no_word_goes_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file's name in a menu of recent files."""
    menu = Menu(monkeypatch)
    menu.answers["Get", ITEM, "org.a11y.atspi.Accessible", "Name"] = (("s", "salaries.ods"),)
    menu.say()
    (element,) = menu.enter()
    assert (element.index, element.label) == (4, "")


def test_an_item_of_another_process_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither what it says itself, nor that something else of the one in front is highlighted."""
    menu = Menu(monkeypatch)
    for what in ("focused", "selected"):
        menu.say(what, name=OTHER_NAME)
        menu.say(what, name=OTHER_NAME)
    menu.buses[-1].heard(OTHER_NAME, MENU, "ActiveDescendantChanged", ("", 4, 0, ("(so)", (EDITOR_NAME, ITEM)), {}))
    menu.later(20)
    assert (menu.enter(), menu.asked) == ([], [])


def test_an_active_descendant_of_another_process_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one in front points to an object on somebody else's connection."""
    menu = Menu(monkeypatch, role=56, parent=55)
    menu.buses[-1].heard(EDITOR_NAME, MENU, "ActiveDescendantChanged", ("", 4, 0, ("(so)", (OTHER_NAME, ITEM)), {}))
    menu.later(20)
    assert (menu.enter(), menu.asked) == ([], [])


def test_in_a_structure_only_surface_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The back end watches no process there."""
    menu = Menu(monkeypatch)
    menu.stage.front(TERMINAL)
    menu.accessibility.watch(0)
    menu.say()
    menu.say("selected")
    assert (menu.enter(), menu.asked) == ([], [])


@pytest.mark.parametrize("what", ["focused", "selected"])
def test_an_item_that_is_left_is_not_chosen(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """The menu was closed."""
    menu = Menu(monkeypatch)
    menu.say()
    menu.say(what, on=0)
    menu.answers["GetMatches", "/window"] = ([(EDITOR_NAME, ENTRY)],)
    menu.later(200)
    assert menu.enter() == []


@pytest.mark.parametrize("role", [TEXT, 43, MENU_ROLE, None])
def test_when_something_else_gets_the_focus_no_item_is_left(monkeypatch: pytest.MonkeyPatch, role: int | None) -> None:
    """A field, a button, a submenu, or what does not say what it is. A list is what its rows are in: they stay."""
    menu = Menu(monkeypatch)
    menu.answers["GetRole", "/elsewhere"] = None if role is None else (role,)
    menu.say()
    menu.say(path="/elsewhere")
    assert menu.enter() == []
    menu.answers["GetRole", "/elsewhere"] = (31,)
    menu.say()
    menu.say(path="/elsewhere")
    assert menu.enter() == [CHOICE]


def test_what_a_box_cannot_be_is_no_box(monkeypatch: pytest.MonkeyPatch) -> None:
    """An item that is not mapped yet is nowhere: keys choose it, clicks do not."""
    for extents in ((-(2**31), -(2**31), 1, 1), (0, 0, 0, 0), None):
        menu = Menu(monkeypatch)
        menu.answers["GetExtents", ITEM] = None if extents is None else (extents,)
        menu.say()
        (element,) = menu.enter()
        assert (element.x, element.y, element.width, element.height) == (0, 0, 0, 0)


@pytest.mark.parametrize("path", [MENU, "/sibling"])
def test_a_box_that_is_not_the_items_own_is_no_box(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """Its neighbour's, as Chromium says of all options, or its parent's: it is told without, by key, and a click is no choice."""
    for other, own in ((SCREEN_BOX, False), ((110, 245, 300, 25), True), (None, True)):
        menu = Menu(monkeypatch, role=32, parent=31, above=COMBO)
        menu.answers["GetChildAtIndex", MENU] = ((EDITOR_NAME, "/sibling"),)
        menu.answers["GetExtents", path] = None if other is None else (other,)
        menu.say()
        (element,) = menu.enter()
        box = (element.x, element.y, element.width, element.height)
        assert (element.role, element.index, box) == (ElementRole.OPTION, 4, (100, 200, 300, 25) if own else (0, 0, 0, 0))
        assert menu.click(110, 210) == ([ChosenBy.CLICK] if own else [])


def test_each_of_the_options_that_share_a_box_is_told_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first, too, before any other was highlighted: its neighbour is asked where that is."""
    menu = Menu(monkeypatch, role=32, parent=31, above=COMBO)
    options = [f"/option{number}" for number in range(3)]
    for index, path in enumerate(options):
        menu.answers |= {(key[0], path, *key[2:]): answer for key, answer in menu.answers.items() if key[1:2] == (ITEM,)}
        menu.answers["GetIndexInParent", path] = (index,)
    told = []
    for index, path in enumerate(options):
        menu.answers["GetChildAtIndex", MENU] = ((EDITOR_NAME, options[index - 1 if index else 1]),)
        menu.say(path=path)
        told += [(element.index, element.width, element.height) for element in menu.enter()]
        menu.say(path=path, on=0)
    assert told == [(0, 0, 0), (1, 0, 0), (2, 0, 0)]


def test_no_object_of_another_process_is_asked_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """A neighbour on somebody else's connection, or none at all: the item's own word stands."""
    for name, path in ((OTHER_NAME, "/sibling"), (EDITOR_NAME, "/org/a11y/atspi/null"), (EDITOR_NAME, ITEM)):
        menu = Menu(monkeypatch)
        menu.answers["GetChildAtIndex", MENU] = ((name, path),)
        menu.say()
        assert menu.enter() == [CHOICE]
        assert [asked[1] for asked in menu.buses[-1].asked if asked[0] == "GetExtents"] == [ITEM, MENU]


def test_gtk_4_is_not_asked_where_its_items_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would complain; its labels count as children of a menu item, and what opens a submenu can be expanded."""
    menu = Menu(monkeypatch).gtk4()
    menu.answers["Get", ITEM, "org.a11y.atspi.Accessible", "ChildCount"] = (("i", 1),)
    menu.say()
    (element,) = menu.enter()
    assert (element.index, element.width) == (4, 0)
    assert not any(asked[0] == "GetExtents" for asked in menu.asked)
    menu = Menu(monkeypatch).gtk4()
    menu.answers["GetState", ITEM] = states(SENSITIVE, VISIBLE, EXPANDABLE)
    menu.say()
    assert menu.enter() == []


def test_what_a_row_holds_stands_for_the_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """GTK 4 gives it the focus. A panel in anything else is no item."""
    for parent, n in ((32, 1), (39, 0)):
        menu = Menu(monkeypatch, role=parent, parent=31).gtk4()
        menu.answers["GetRole", "/held"] = (39,)
        menu.answers["Get", "/held", "org.a11y.atspi.Accessible", "Parent"] = (("(so)", (EDITOR_NAME, ITEM)),)
        menu.say(path="/held")
        assert len(menu.enter()) == n
        menu.answers["Get", "/held", "org.a11y.atspi.Accessible", "Parent"] = (("(so)", (OTHER_NAME, ITEM)),)
        menu.say(path="/elsewhere")
        menu.say(path="/held")
        assert menu.enter() == []


def test_a_list_that_gets_the_focus_is_asked_which_item_is_the_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says only what changes. Where it cannot be asked at once, row by row; of an object of another process it says nothing."""
    rows = {
        ("Get", MENU, "org.a11y.atspi.Accessible", "ChildCount"): (("i", 2),),
        ("GetChildAtIndex", MENU): ((EDITOR_NAME, ITEM),),
        ("GetState", ITEM): states(*USABLE, 23),
    }
    for answers, n in (
        ({("GetSelectedChild", MENU): ((EDITOR_NAME, ITEM),)}, 1),
        ({("GetSelectedChild", MENU): ((OTHER_NAME, ITEM),)}, 0),
        ({("GetSelectedChild", MENU): ((EDITOR_NAME, "/org/a11y/atspi/null"),)}, 0),
        (rows, 1),
        (rows | {("GetState", ITEM): states(*USABLE)}, 0),
        (rows | {("Get", MENU, "org.a11y.atspi.Accessible", "ChildCount"): (("i", 33),)}, 0),
        ({}, 0),
    ):
        menu = Menu(monkeypatch, role=32, parent=31)
        menu.answers |= answers
        menu.say(path=MENU)
        assert len(menu.enter()) == n


def test_a_service_that_ends_leaves_no_item(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing would say that the menu was closed."""
    menu = Menu(monkeypatch)
    menu.say()
    menu.buses[-1].close()
    menu.later(1)
    menu.stage.focus(FieldRole.TEXT)
    menu.later(1)
    assert menu.enter() == []


def test_an_application_that_says_everything_at_once_is_asked_about_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bus that answers nothing yet, and a thousand rows that are selected: eight questions."""
    menu = Menu(monkeypatch)
    bus = menu.buses[-1]
    started: list[Any] = []
    monkeypatch.setattr(type(bus), "run", lambda _self, steps: started.append((steps, next(steps, None))))
    for at in range(1_000):
        bus.heard(EDITOR_NAME, f"/row/{at}", "StateChanged", ("selected", 1, 0, ("i", 0), {}))
    assert len(started) == 8


def test_an_event_of_an_element_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reprs end up in logs."""
    menu = Menu(monkeypatch)
    menu.say()
    (element,) = menu.enter()
    assert "Open" not in repr(element) + repr(Event(EDITOR.surface, 1, menu.stage.now, 7, 0, element))


def test_without_elements_in_the_grant_nothing_is_asked_or_heard_of_items(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys alone do not need them: neither is it registered for what is selected, nor is a focused item asked for more than its role."""
    monkeypatch.setattr("tests.collectors.test_atspi.Accessibility", partial(Accessibility, elements=False))
    menu = Menu(monkeypatch)
    asked = [" ".join(question) for bus in menu.buses for question in bus.asked]
    assert any("focused" in question for question in asked)
    assert not any("selected" in question or "escendant" in question for question in asked)
    menu.say()
    menu.say("selected")
    menu.buses[-1].heard(EDITOR_NAME, MENU, "ActiveDescendantChanged", ("", 0, 0, ("(so)", (EDITOR_NAME, ITEM)), {}))
    menu.say("focused", on=0)
    menu.accessibility.watch(EDITOR_PID, Words())
    assert {question[0] for question in menu.asked} == {"GetRole"}
    assert menu.enter() == []
    menu.say(path=ENTRY)
    assert menu.strike() is None
    menu.buses[-1].close()
    menu.later(1)
    assert "ended" in menu.accessibility.trouble
