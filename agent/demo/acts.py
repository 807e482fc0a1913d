"""What the person of the demo does, scene by scene: three applications, five canary strings, one password.

The editor and the sign-in dialog are on the allowlist, the terminal is not. The dialog's password field is protected by what it
is (its accessible role), not by a list.
"""

import secrets
from dataclasses import dataclass
from subprocess import Popen

from agent.demo.canaries import RANDOM_BYTES, Canary, make
from agent.demo.clock import rest
from agent.demo.person import Person
from agent.demo.policy import Application
from agent.demo.programs import Program
from agent.demo.stage import Stage
from agent.demo.trial import executable
from agent.demo.wait import until
from agent.demo.windows import Place, active_window, put_window

EDITOR, DIALOG, TERMINAL = "text-editor", "sign-in-dialog", "terminal"
ALLOWED = frozenset({EDITOR, DIALOG})
ROLES = ("before", "allowed", "not_allowed", "password", "paused")

TAKES_IN_S = 0.4
"""A person looks before going on in another window; Volens refuses keys until it has found out what has the focus there."""


def applications() -> list[Application]:
    """What the demo's policy allows."""
    return [
        Application(EDITOR, "Text editor", executable(Program.EDITOR)),
        Application(DIALOG, "Sign-in dialog", executable(Program.DIALOG)),
    ]


def canaries() -> dict[str, Canary]:
    """A fresh canary for each role."""
    return {role: make(role, secrets.token_bytes(RANDOM_BYTES)) for role in ROLES}


@dataclass(slots=True)
class Acts:
    """The scenes.

    Attributes:
        stage: Where.
        person: Who.
        canaries: What is typed, by role.
        editor, terminal: The windows.
    """

    stage: Stage
    person: Person
    canaries: dict[str, Canary]
    editor: Place
    terminal: Place

    def before(self) -> None:
        """Nobody has been asked yet: work in the editor, and a canary."""
        self._to(self.editor, EDITOR)
        self.person.type(self.canaries["before"].text)
        self.person.key("enter")

    def write(self) -> None:
        """Work in the allowed editor: clicks, wheel, named keys, chords, and a canary."""
        person, editor = self.person, self.editor
        self._to(editor, EDITOR)
        person.chord(["ctrl"], "end")
        person.type(f"The code word is {self.canaries['allowed'].text}. ")
        for key in ("enter", "up", "end", "left", "backspace", "home", "enter", "page_up", "page_down"):
            person.key(key)
        for right, down in ((0.3, 0.5), (0.6, 0.7), (0.8, 0.4)):
            person.click(*editor.inside(right, down))
        person.scroll(*editor.inside(0.5, 0.6), 3)
        person.scroll(*editor.inside(0.5, 0.6), -2)
        for trigger in ("a", "c", "end", "v", "z"):
            person.chord(["ctrl"], trigger)

    def wander(self) -> None:
        """Work in the terminal, which is on no list: what is done there is nobody's business."""
        self._to(self.terminal, TERMINAL)
        self.person.type(f": {self.canaries['not_allowed'].text}")
        self.person.key("enter")
        self.person.scroll(*self.terminal.inside(0.5, 0.5), 2)
        self.person.click(*self.terminal.inside(0.2, 0.2))

    def come_back(self) -> None:
        """Back to the editor by a click into its text: it brings the editor to the front, and counts as the editor's."""
        self.person.click_into(self.editor, EDITOR, 0.5, 0.3)
        rest(TAKES_IN_S)
        self.person.key("end")

    def sign_in(self) -> None:
        """A dialog asks for a password; it is typed and confirmed by a click."""
        child = self.stage.start(Program.DIALOG, ["--password", "--title=Sign in"], name="dialog", silent=True)  # it prints the password
        place = self._dialog(child)
        self.person.enter(place, DIALOG)
        self.person.type(self.canaries["password"].text)
        rest(TAKES_IN_S)
        self.person.click(*place.inside(0.8, 0.85))  # OK
        until(lambda: child.poll() is not None, "the end of the sign-in dialog")
        until(lambda: active_window(self.stage.display) in (self.editor.window_id, self.terminal.window_id), "the focus of a window")

    def paused(self) -> None:
        """During the pause: the same work again."""
        self._to(self.editor, EDITOR)
        self.person.type(self.canaries["paused"].text)
        self.person.key("enter")
        self.person.chord(["ctrl"], "a")
        self.person.click(*self.editor.inside(0.4, 0.8))

    def after(self) -> None:
        """After the pause: some more clicks and keys."""
        self._to(self.editor, EDITOR)
        for right, down in ((0.2, 0.3), (0.7, 0.5)):
            self.person.click(*self.editor.inside(right, down))
        self.person.key("down")
        self.person.scroll(*self.editor.inside(0.5, 0.5), 1)

    def _to(self, place: Place, surface: str) -> None:
        self.person.focus(place, surface)
        rest(TAKES_IN_S)

    def _dialog(self, child: Popen[bytes]) -> Place:
        place = self.stage.window_of(child)
        until(lambda: active_window(self.stage.display) == place.window_id, "the focus of the sign-in dialog")
        rest(TAKES_IN_S)
        return self.stage.window_of(child)


def open_applications(stage: Stage, person: Person, typed: dict[str, Canary]) -> Acts:
    """Start editor and terminal side by side."""
    paper = stage.root / "desktop" / "letter.txt"
    paper.write_text("".join(f"Line {number} of a letter.\n" for number in range(1, 61)))
    editor = stage.start(Program.EDITOR, ["--disable-server", str(paper)], name="editor")
    terminal = stage.start(Program.TERMINAL, ["-geometry", "70x24", "-e", "sh"], name="terminal")
    left = put_window(stage.display, Place(stage.window_of(editor).window_id, 20, 40, 600, 560))
    right = put_window(stage.display, Place(stage.window_of(terminal).window_id, 680, 40, 500, 380))
    return Acts(stage, person, typed, left, right)
