"""The clipboard without content: what is told of a copy, a cut and a paste, and when nothing is."""

import ast
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.backends import x11_clipboard
from collectors.clipboard import ANSWER_MS, CUT_MS, FORMS, MEASURED, SECRETS, Offer, kinds_of
from collectors.raw import Front, Key, NoRole, Role, Sort, Stroke
from collectors.shape import HOLD_MS
from consent.event import Clipboard, Event, FieldRole, Modifier, NamedKey
from consent.vocabulary import Kind, SurfaceId
from consent.words import ClipboardAct, ClipboardKind, SizeBucket
from tests.collectors.stage import DIALOG, EDITOR, ELSEWHERE, TERMINAL, Stage

TEXT = (ClipboardKind.TEXT,)
PASTES = [("v", (Modifier.CTRL,)), ("insert", ())]
CUTS = [("x", (Modifier.CTRL,)), ("delete", ())]
_PRESSES = count(1)


def strike(stage: Stage, trigger: str, modifiers: tuple[Modifier, ...], repeats: int = 0) -> None:
    """A chord; without modifiers, the named key with Shift."""
    named = Stroke(Sort.NAMED, named=NamedKey(trigger), shift=True) if not modifiers else None
    press = next(_PRESSES)
    for at in range(repeats + 2):
        stroke = named or Stroke(Sort.CHORD, modifiers=modifiers, trigger=trigger)
        stage.shaper.key(Key(stage.now, press, stroke, down=at <= repeats, repeat=0 < at <= repeats))
        stage.ms += 10


def offer(stage: Stage, window: int = 1, kinds: tuple[ClipboardKind, ...] | None = TEXT, size: SizeBucket = SizeBucket.TENS) -> None:
    """The clipboard gets another owner, and what it offers is known soon after."""
    made = Offer(stage.now, window)
    stage.shaper.copied(made)
    stage.ms += 20
    made.kinds, made.size, made.done = kinds, size, True


def told(stage: Stage) -> list[Clipboard]:
    """What is told of the clipboard."""
    return [event.payload for event in _events(stage)]


def _events(stage: Stage) -> list[Event]:
    return sorted((event for event in stage.settle() if event.kind is Kind.CLIPBOARD), key=lambda event: event.at.awake_ms)


@pytest.fixture
def stage() -> Stage:
    return Stage().in_editor()


def test_a_copy_is_told_with_its_kinds_and_size_at_its_own_time(stage: Stage) -> None:
    """Counted as no raw input: the keys are counted as themselves."""
    at = stage.now
    offer(stage)
    (event,) = _events(stage)
    assert (event.payload, event.n, event.window, event.surface, event.at) == (
        Clipboard(ClipboardAct.COPY, TEXT, SizeBucket.TENS), 0, 1, "editor", at)  # fmt: skip


@pytest.mark.parametrize(("trigger", "modifiers"), CUTS)
def test_a_cut_is_told_by_the_chord_just_before(stage: Stage, trigger: str, modifiers: tuple[Modifier, ...]) -> None:
    """Ctrl+X and Shift+Delete; only once, only just before, only if nothing was copied since."""
    strike(stage, trigger, modifiers)
    offer(stage)
    offer(stage)
    strike(stage, trigger, modifiers)
    strike(stage, "c", (Modifier.CTRL,))
    offer(stage)
    strike(stage, trigger, modifiers)
    stage.later(CUT_MS + 1)
    offer(stage)
    assert [payload.act for payload in told(stage)] == [ClipboardAct.CUT] + 3 * [ClipboardAct.COPY]


def test_a_cut_that_is_heard_of_before_its_chord_is_a_cut(stage: Stage) -> None:
    """Keys and the clipboard come by different ways; what counts is when they were."""
    chord_at = stage.now
    stage.ms += 5
    offer(stage)
    cut = Stroke(Sort.CHORD, modifiers=(Modifier.CTRL,), trigger="x")
    stage.shaper.key(Key(chord_at, next(_PRESSES), cut, down=True))
    stage.later(CUT_MS)
    offer(stage)
    assert [payload.act for payload in told(stage)] == [ClipboardAct.CUT, ClipboardAct.COPY]


def test_a_cut_chord_in_another_window_cuts_nothing_here(stage: Stage) -> None:
    """Its window must be the one that copies."""
    strike(stage, "x", (Modifier.CTRL,))
    stage.switch(DIALOG)
    stage.ms += 1
    offer(stage, window=DIALOG.window)
    assert [payload.act for payload in told(stage)] == [ClipboardAct.COPY]


@pytest.mark.parametrize(("trigger", "modifiers"), PASTES)
def test_a_paste_has_the_kinds_and_size_of_what_a_recorded_window_copied(
    stage: Stage, trigger: str, modifiers: tuple[Modifier, ...]
) -> None:
    """Ctrl+V and Shift+Insert; a key that is held is one paste."""
    offer(stage, kinds=(ClipboardKind.FILES,), size=SizeBucket.HUNDREDS)
    strike(stage, trigger, modifiers, repeats=3)
    assert told(stage)[1:] == [Clipboard(ClipboardAct.PASTE, (ClipboardKind.FILES,), SizeBucket.HUNDREDS)]


@pytest.mark.parametrize("what", ["before all copies", "another program", "a secret"])
def test_a_paste_of_what_no_recorded_window_copied_has_no_kinds(stage: Stage, what: str) -> None:
    """A copy elsewhere, or a secret, is told neither then nor by what is pasted of it."""
    if what != "before all copies":
        offer(stage)
        offer(stage, window=0) if what == "another program" else offer(stage, kinds=None)
    strike(stage, "v", (Modifier.CTRL,))
    assert told(stage)[-1] == Clipboard(ClipboardAct.PASTE, (), SizeBucket.UNKNOWN)
    assert len([payload for payload in told(stage) if payload.act is ClipboardAct.COPY]) <= 1


def test_a_paste_after_a_copy_on_a_page_that_nobody_vouched_for_has_no_kinds(stage: Stage) -> None:
    """Nothing is told of that copy, and nothing of the older one, which is not on the clipboard any more."""
    offer(stage, kinds=(ClipboardKind.FILES,), size=SizeBucket.HUNDREDS)
    stage.later(300)
    stage.front(Front(SurfaceId("forge"), 9, site=True))
    stage.later(50)
    offer(stage, window=9)
    stage.later(2_500)
    stage.front(EDITOR)
    stage.shaper.role(stage.now, FieldRole.TEXT)
    stage.later(400)
    strike(stage, "v", (Modifier.CTRL,))
    assert [payload.act for payload in told(stage)] == [ClipboardAct.COPY, ClipboardAct.PASTE]
    assert told(stage)[-1] == Clipboard(ClipboardAct.PASTE, (), SizeBucket.UNKNOWN)


@pytest.mark.parametrize(
    "chord", [("v", (Modifier.CTRL, Modifier.SHIFT)), ("v", (Modifier.ALT,)), ("c", (Modifier.CTRL,)), ("x", (Modifier.CTRL,))]
)
def test_no_other_chord_pastes_or_copies_by_itself(stage: Stage, chord: tuple[str, tuple[Modifier, ...]]) -> None:
    """A copy is told when the clipboard has another owner, whatever was pressed."""
    strike(stage, *chord)
    assert told(stage) == []


@pytest.mark.parametrize("role", [NoRole.UNKNOWN, NoRole.SECURE])
def test_nothing_is_pasted_into_a_field_whose_role_is_unknown_or_a_password(role: Role) -> None:
    """As with every key."""
    stage = Stage().in_editor(role)
    strike(stage, "v", (Modifier.CTRL,))
    assert told(stage) == []


@pytest.mark.parametrize(
    ("front", "window"),
    [(TERMINAL, TERMINAL.window), (ELSEWHERE, 0), (Front(own=True), 0), (DIALOG, 1), (DIALOG, 0)],
    ids=["structure-only", "not recorded", "our own", "not the one in front", "another program's"],
)
def test_nothing_is_told_of_a_copy_in_a_window_that_is_not_recorded_or_structure_only(stage: Stage, front: Front, window: int) -> None:
    """The owner must be of the recorded window that was in front then."""
    stage.switch(front)
    if front is not ELSEWHERE and not front.own:
        stage.shaper.role(stage.now, FieldRole.TEXT)
    stage.later(300)
    offer(stage, window=window)
    assert told(stage) == []


def test_nothing_is_told_of_a_copy_out_of_a_password_field() -> None:
    """Most toolkits do not let one; not all."""
    stage = Stage().in_editor(NoRole.SECURE)
    offer(stage)
    assert told(stage) == []


def test_a_busy_owner_is_waited_for_and_its_copy_told_at_its_own_time(stage: Stage) -> None:
    """Later than what came after it, and no later than it is waited for; a size that is not known by then is unknown."""
    made, at = Offer(stage.now, 1), stage.now
    stage.shaper.copied(made)
    stage.later(HOLD_MS)
    made.kinds = TEXT
    stage.later(ANSWER_MS - HOLD_MS - 1)
    assert stage.shaper.due_ms() == at.awake_ms + ANSWER_MS
    assert stage.shaper.waiting() == (0, 0)
    stage.later(1)
    (event,) = _events(stage)
    assert (event.at, event.payload) == (at, Clipboard(ClipboardAct.COPY, TEXT, SizeBucket.UNKNOWN))
    assert stage.shaper.due_ms() is None


def test_an_owner_that_never_says_what_it_offers_is_told_nothing_of(stage: Stage) -> None:
    """It may be a secret."""
    late = Offer(stage.now, 1)
    stage.shaper.copied(late)
    stage.later(HOLD_MS)
    stage.later(ANSWER_MS)
    late.kinds = TEXT
    assert told(stage) == []


def test_what_is_known_of_a_copy_when_the_observer_ends_is_told(stage: Stage) -> None:
    """And of one that is not, nothing."""
    for kinds in (TEXT, None):
        stage.shaper.copied(Offer(stage.now, 1, kinds))
    stage.shaper.close(stage.now)
    assert [payload.kinds for payload in told(stage)] == [TEXT]


def test_without_the_kind_nothing_is_told() -> None:
    """Keys may be granted without it."""
    stage = Stage(frozenset(Kind) - {Kind.CLIPBOARD}).in_editor()
    offer(stage)
    strike(stage, "v", (Modifier.CTRL,))
    assert told(stage) == []


@pytest.mark.parametrize("asked", [True, False])
def test_of_owners_that_nobody_waits_for_only_the_last_is_remembered(stage: Stage, asked: bool) -> None:
    """A program that takes the clipboard in a loop makes no queue: those before are not told of, and not there to be pasted."""
    for _ in range(1_000):
        stage.shaper.copied(Offer(stage.now, int(asked), done=True))
    assert len(stage.shaper._queue) == 1
    offer(stage)
    assert [payload.act for payload in told(stage)] == [ClipboardAct.COPY]


# --- forms -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("forms", "kinds"),
    [
        ((), ()),
        (("UTF8_STRING", "STRING", ""), TEXT),
        (("text/html", "UTF8_STRING", "", ""), (ClipboardKind.TEXT, ClipboardKind.RICH_TEXT)),
        (("image/png", "text/uri-list"), (ClipboardKind.IMAGE, ClipboardKind.FILES)),
        (("", ""), (ClipboardKind.OTHER,)),
    ],
)
def test_kinds_are_of_a_closed_list(forms: tuple[str, ...], kinds: tuple[ClipboardKind, ...]) -> None:
    """Other forms beside known ones say nothing more."""
    assert kinds_of(forms) == kinds


@given(st.lists(st.sampled_from([*FORMS, ""])), st.sampled_from(SECRETS), st.integers(0, 50))
def test_one_sign_of_a_secret_is_enough(forms: list[str], secret: str, at: int) -> None:
    """Whatever else is offered, and wherever it stands."""
    assert kinds_of([*forms[:at], secret, *forms[at:]]) is None


def test_no_image_is_measured() -> None:
    """Its program would have to encode it for us."""
    assert set(MEASURED) < set(FORMS)
    assert ClipboardKind.IMAGE not in {FORMS[form] for form in MEASURED}


def test_content_is_never_read() -> None:
    """Every GetProperty asks for a length of 0, but the one of the list of forms, which the server must call a list of atoms."""
    tree = ast.parse(Path(x11_clipboard.__file__).read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    reads = [ast.unparse(node) for node in calls if node.func.attr.startswith(("get_property", "get_full"))]
    assert sorted(reads) == sorted(
        2 * ["window.get_property(self._property, _ANY_TYPE, 0, 0)"] + ["window.get_property(self._property, _ATOM, 0, MOST_FORMS)"]
    )
    assert not {node.func.attr for node in calls} & {"get_atom_name", "get_selection_owner"}
