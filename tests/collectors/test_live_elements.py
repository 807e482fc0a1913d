"""Live: choices in menus, combo boxes and lists of GTK 3, GTK 4 and Qt 6, seen by the real observer, and compared with what the
toolkits say of themselves. The hands are the test's: a click in the middle of an item, or Down until it is highlighted, and Enter or Space.
"""

import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from msgspec import structs
from Xlib import X
from Xlib.ext import xtest

from agent.demo.wait import until
from agent.demo.windows import active_window
from collectors.pipe import SurfaceRule
from collectors.roles import element_role
from consent.event import ChosenBy, Element
from consent.vocabulary import Kind, SurfaceId
from tests.collectors.child import Child, observer
from tests.live.accessible import COMBO_BOX, FOCUSED, LIST, MENU, MENU_BAR, SELECTED, SHOWING, TABLE, Object, Tree
from tests.live.desktop import Application, Desktop, desktop, program

pytestmark = pytest.mark.live
MENU_ITEM, CHECK, RADIO, LIST_ITEM, CELL, POPUP_MENU = 35, 8, 45, 32, 56, 41
HARMLESS = {
    "mousepad": (
        "Select All",
        "Line Numbers",
        "Statusbar",
        "Word Wrap",
        "Auto Indent",
        "Increase Indent",
        "Decrease Indent",
        "Delete Line",
    ),
    "linguist": ("Display guesses", "Length Variants", "Visualize whitespace"),
    "gtk4-demo-application": ("New", "Save"),
}
OPTIONS = ("red", "green", "blue", "white")
A_MOMENT_S = 0.1
"""Between one movement of a hand and the next."""
NOTICED_S = 0.25
"""Between seeing what is highlighted and choosing it: an observer that is kept waiting for longer misses a click."""
DOUBLE_CLICK_S = 0.6
"""Toolkits take no second click for a choice before that."""
AWAY = (1270, 10)
QT_PROGRAMS = "/usr/lib/qt6/bin"
"""Where Debian has linguist, which is in nobody's PATH."""


@dataclass
class Scene:
    """A desktop, an observer of all that is on it, and the toolkits' own word."""

    desk: Desktop
    child: Child
    tree: Tree
    choices: int = 0

    def start(self, *argv: str) -> "tuple[Application, Object]":
        """An application in front, told of by the observer, and its tree."""
        fronts = len(self.child.of(Kind.FOCUS))
        app = self.desk.start(*argv)
        self.child.until(lambda: len(self.child.of(Kind.FOCUS)) > fronts, f"{argv[0]} in front")
        root = until(lambda: self.tree.application(app.process.pid), f"the accessibility of {argv[0]}")
        self.child.lull(0.3)
        return app, root

    def click(self, at: tuple[int, int]) -> None:
        """Move there and click, as soon as a hand could."""
        self.desk.move(*at)
        self.child.lull(A_MOMENT_S)
        self.tap()

    def tap(self) -> None:
        """Press the left button, and let it go as soon as a finger could: what a press went to is asked a moment after it."""
        xtest.fake_input(self.desk.display, X.ButtonPress, 1)
        self.desk.display.sync()
        self.child.lull(A_MOMENT_S / 2)
        xtest.fake_input(self.desk.display, X.ButtonRelease, 1)
        self.desk.display.sync()

    def highlight(self, item: Object, state: int) -> None:
        """Press Down, or Up, until the toolkit says that this item is the one."""
        self.desk.move(*AWAY)
        for key in ["Down"] * 12 + ["Up"] * 12:
            if item.has(state):
                self.child.lull(NOTICED_S)
                return
            self.desk.key(key)
            self.child.lull(A_MOMENT_S)
        raise AssertionError(f"{item.label!r} was not reached")

    def chosen(self) -> Element:
        """The next choice that the observer told of, without its label: that is test_live_vocabulary's."""
        self.choices += 1
        self.child.until(lambda: len(self.child.of(Kind.ELEMENT)) >= self.choices, "news of a choice")
        (event,) = self.child.of(Kind.ELEMENT)[self.choices - 1 :]
        assert isinstance(event.payload, Element)
        assert event.n == 0
        return structs.replace(event.payload, label="")


Choice = Callable[[Scene, random.Random], None]


def _relative(item: Object, app: Application) -> tuple[int, int, int, int]:
    x, y, width, height = item.extents
    left, top = app.corner()
    return x - left, y - top, width, height


def _box(element: Element) -> tuple[int, int, int, int]:
    return element.x, element.y, element.width, element.height


def _choose(scene: Scene, app: Application, item: Object, by: ChosenBy, state: int, parent: int, in_combo: bool = False) -> None:
    """Choose an item of a menu that is open, and compare. Which role it has, where and what is its number, the toolkit says before."""
    until(lambda: item.has(SHOWING), "the menu")
    if by is ChosenBy.CLICK:
        scene.desk.move(*item.middle)
        until(lambda: item.has(state), "the item under the pointer")
        scene.child.lull(NOTICED_S)
    else:
        scene.highlight(item, state)
    expected = (element_role(item.role, parent, in_combo), item.index, _relative(item, app), by)
    if by is ChosenBy.CLICK:
        scene.tap()
    else:
        scene.desk.key("Return" if by is ChosenBy.ENTER else "space")
    chosen = scene.chosen()
    assert (chosen.role, chosen.index, _box(chosen), chosen.chosen_by) == expected


def menu_choices(scene: Scene, argv: tuple[str, ...], state: int) -> Choice:
    """In the menus of GTK 3 and Qt: by click, or by Enter."""
    app, root = scene.start(*argv)
    bar = next(root.all(MENU_BAR))
    entries = [
        (menu, item)
        for menu in bar.children
        for item in (menu.children[0].children if menu.children and menu.children[0].role == POPUP_MENU else menu.children)
        if item.role in (MENU_ITEM, CHECK, RADIO) and item.label in HARMLESS[argv[0]]
    ]
    assert len(entries) == len(HARMLESS[argv[0]])

    def choose(scene: Scene, chance: random.Random) -> None:
        app.in_front()
        menu, item = chance.choice(entries)
        scene.click(menu.middle)
        _choose(scene, app, item, chance.choice((ChosenBy.CLICK, ChosenBy.ENTER)), state, MENU)

    return choose


def gtk3_options(scene: Scene) -> Choice:
    """In a combo box of GTK 3."""
    app, root = scene.start("zenity", "--forms", "--add-combo", "Colour", "--combo-values", "|".join(OPTIONS))
    box = next(root.all(COMBO_BOX))
    items = next(one for one in box.children if one.role == MENU).children
    assert [item.label for item in items] == list(OPTIONS)

    def choose(scene: Scene, chance: random.Random) -> None:
        app.in_front()
        scene.click(box.middle)
        scene.child.lull(DOUBLE_CLICK_S)
        _choose(scene, app, chance.choice(items), chance.choice(list(ChosenBy)), SELECTED, MENU, in_combo=True)

    return choose


def gtk3_rows(scene: Scene) -> Choice:
    """In a list of GTK 3, by click."""
    app, root = scene.start("zenity", "--list", "--column", "A", "--column", "B", *"one a two b three c".split())
    cells = [cell for cell in next(root.all(TABLE)).children if cell.role == CELL]

    def choose(scene: Scene, chance: random.Random) -> None:
        app.in_front()
        cell = chance.choice(cells)
        _choose_row(scene, cell, TABLE, _relative(cell, app), cell.middle)

    return choose


def _choose_row(scene: Scene, item: Object, parent: int, box: tuple[int, int, int, int], at: tuple[int, int]) -> None:
    expected = (element_role(item.role, parent, in_combo_box=False), item.index, box, ChosenBy.CLICK)
    scene.child.lull(DOUBLE_CLICK_S)
    scene.click(at)
    chosen = scene.chosen()
    assert (chosen.role, chosen.index, _box(chosen), chosen.chosen_by) == expected


def gtk4_menus(scene: Scene) -> Choice:
    """In the menu of GTK 4, by Enter or Space; it does not say where its items are."""
    app, root = scene.start("gtk4-demo-application")

    def choose(scene: Scene, chance: random.Random) -> None:
        app.in_front()
        scene.desk.move(*AWAY)
        scene.child.lull(A_MOMENT_S)
        scene.desk.key("F10")
        until(lambda: any(one.label == "New" for one in root.all(MENU_ITEM)), "the menu")
        scene.child.lull(0.3)
        items = [one for one in root.all(MENU_ITEM) if one.label in HARMLESS["gtk4-demo-application"]]
        item, by = chance.choice(items), chance.choice((ChosenBy.ENTER, ChosenBy.SPACE))
        scene.highlight(item, FOCUSED)
        expected = Element(element_role(item.role, MENU, False), item.index, 0, 0, 0, 0, by)
        scene.desk.key("Return" if by is ChosenBy.ENTER else "space")
        assert scene.chosen() == expected

    return choose


def gtk4_rows(scene: Scene) -> Choice:
    """In a list of GTK 4, by a click that it says selected something."""
    app, root = scene.start("gtk4-demo")
    rows = [row for row in next(one for one in root.all(LIST) if one.label == "Demo list").children if row.role == LIST_ITEM][:10]
    last = rows[0]

    def choose(scene: Scene, chance: random.Random) -> None:
        nonlocal last
        app.in_front()
        last = chance.choice([row for row in rows if row.path != last.path])
        left, top = app.corner()
        x, y = last.middle
        _choose_row(scene, last, LIST, (0, 0, 0, 0), (left + x, top + y))

    return choose


def qt_dialog(scene: Scene) -> Choice:
    """Options and rows in the file dialog of Qt."""
    main, root = scene.start("linguist")
    fronts = len(scene.child.of(Kind.FOCUS))
    scene.desk.key("Control_L", "o")
    scene.child.until(lambda: len(scene.child.of(Kind.FOCUS)) > fronts, "the dialog")
    scene.child.lull(0.3)
    dialog = Application(scene.desk, main.process, active_window(scene.desk.display))
    box = next(one for one in root.all(COMBO_BOX) if one.label.startswith("Translation files"))
    rows = next(one for one in root.all(LIST) if one.label == "Sidebar").children

    def choose(scene: Scene, chance: random.Random) -> None:
        if chance.random() < 0.5:
            row = chance.choice(rows)
            _choose_row(scene, row, LIST, _relative(row, dialog), row.middle)
            return
        scene.click(box.middle)
        scene.child.lull(DOUBLE_CLICK_S)
        items = box.children[0].children
        _choose(scene, dialog, chance.choice(items), chance.choice((ChosenBy.CLICK, ChosenBy.ENTER)), FOCUSED, LIST, in_combo=True)

    return choose


MAKERS: dict[str, Callable[[Scene], Choice]] = {
    "GTK 3, menus": lambda scene: menu_choices(scene, ("mousepad", "--disable-server"), SELECTED),
    "GTK 3, options": gtk3_options,
    "GTK 3, rows": gtk3_rows,
    "GTK 4, menus": gtk4_menus,
    "GTK 4, rows": gtk4_rows,
    "Qt 6, menus": lambda scene: menu_choices(scene, ("linguist",), FOCUSED),
    "Qt 6, options and rows": qt_dialog,
}


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    """All applications may be recorded, and accessibility is on before the first of them starts (Qt looks then, and never again)."""
    names = ("mousepad", "zenity", "linguist", "gtk4-demo-application", "gtk4-demo")
    with pytest.MonkeyPatch.context() as patch, desktop() as desk:
        patch.setenv("PATH", f"{os.environ['PATH']}:{QT_PROGRAMS}")
        rules = [SurfaceRule(SurfaceId(name), (program(name),), False) for name in names]
        desk.env["GSK_RENDERER"] = "cairo"  # without a graphics card, GTK 4 draws for so long that it never gets to its accessibility
        tree = Tree(desk.env)
        with observer(desk.env, rules) as child:
            yield Scene(desk, child, tree)
        tree.close()


def _make_choices(scene: Scene, toolkit: str, n: int) -> None:
    chance = random.Random(toolkit)  # the same every time
    scene.child.clear()
    choose = MAKERS[toolkit](scene)
    for at in range(n):
        scene.child.clear()
        scene.choices = 0
        choose(scene, chance)
        scene.child.lull(0.3 if at < n - 1 else 0.6)
        assert len(scene.child.of(Kind.ELEMENT)) == 1


@pytest.mark.parametrize(
    ("toolkit", "n"), [("GTK 3, menus", 2), ("GTK 3, options", 2), ("GTK 4, menus", 2), ("Qt 6, menus", 2), ("Qt 6, options and rows", 2)]
)
def test_choices_have_the_right_role_index_and_box(scene: Scene, toolkit: str, n: int) -> None:
    """Ten, and nothing else is told of as one: not what opened a menu, and not what was passed over."""
    _make_choices(scene, toolkit, n)


@pytest.mark.soak
@pytest.mark.parametrize("toolkit", MAKERS)
def test_a_hundred_choices_have_the_right_role_index_and_box(scene: Scene, toolkit: str) -> None:
    """Fifteen of each sort: 105."""
    _make_choices(scene, toolkit, 15)
