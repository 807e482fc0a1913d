"""Where key identity dies: classes out of keycodes, in any layout."""

import itertools

import pytest

from collectors.keymap import Keymap, KeysDown
from collectors.raw import CHARACTER, MODIFIER, OTHER, Sort
from consent.event import CHORD_TRIGGERS, Modifier, NamedKey
from tests.collectors.stage import CODES, FIRST, KEYS, MODIFIERS, STATES, Stage, us_keymap

CTRL, SHIFT, ALTGR, NUM, GROUP2 = STATES["Control"], STATES["Shift"], STATES["AltGr"], STATES["NumLock"], 1 << 13


@pytest.mark.parametrize("state", [0, SHIFT, ALTGR, ALTGR | SHIFT, ALTGR | CTRL, NUM, 2])
def test_all_characters_are_the_same_value(state: int) -> None:
    """Plain, with Shift, with AltGr, with locks: one object, which has no room for which."""
    strokes = [us_keymap().stroke(CODES[name], state) for name in ("a", "s", "z", "1", "space", "semicolon")]
    assert all(stroke is CHARACTER for stroke in strokes)


def test_no_stroke_names_a_character_without_ctrl_alt_or_meta() -> None:
    """Over all keys and all states of a keyboard."""
    for code, state in itertools.product(CODES.values(), range(256)):
        stroke = us_keymap().stroke(code, state)
        if not state & (CTRL | STATES["Alt"] | STATES["Super"]):
            assert stroke.trigger == ""
        assert stroke.sort is not Sort.CHORD or stroke.trigger in CHORD_TRIGGERS


def test_chords_name_their_trigger_in_lower_case_and_their_modifiers() -> None:
    """Ctrl and Shift and Z; Alt and Tab; Meta and a digit."""
    keymap = us_keymap()
    chords = [("z", CTRL | SHIFT), ("Tab", STATES["Alt"]), ("1", STATES["Super"])]
    strokes = [keymap.stroke(CODES[name], state) for name, state in chords]
    assert [(stroke.modifiers, stroke.trigger) for stroke in strokes] == [
        ((Modifier.CTRL, Modifier.SHIFT), "z"),
        ((Modifier.ALT,), "tab"),
        ((Modifier.META,), "1"),
    ]


def test_the_layout_in_force_says_what_a_chord_is() -> None:
    """The same key is Q on one keyboard and A on another."""
    french = Keymap(FIRST, [(0x61, 0x41), (0x71, 0x51)], MODIFIERS)
    assert Keymap(FIRST, [(0x71, 0x51)], []).stroke(FIRST, CTRL).trigger == "q"
    assert french.stroke(FIRST, CTRL).trigger == "a"


def test_a_chord_on_a_layout_without_latin_letters_is_that_of_the_other_group() -> None:
    """As applications read it; with no Latin group at all it stands for nothing, and text is text."""
    both = Keymap(FIRST, [(0x61, 0x41, 0x6C6, 0x6E6)], [])
    assert both.stroke(FIRST, CTRL | GROUP2).trigger == "a"
    assert both.stroke(FIRST, GROUP2) is CHARACTER
    russian = Keymap(FIRST, [(0x6C6, 0x6E6)], [])
    assert russian.stroke(FIRST, CTRL) is OTHER
    assert russian.stroke(FIRST, 0) is CHARACTER


def test_a_chord_is_named_only_where_the_layout_in_force_surely_has_that_key() -> None:
    """A Latin letter that is not on the list is not another layout's digit; in a third or fourth layout no key is sure, except acts."""
    keymap = Keymap(FIRST, [(0x32, 0x40, 0xE9, 0x32), (0x79, 0x59, 0x7A, 0x5A), (0xFF0D, 0, 0xFF0D, 0), (0x6C6, 0x6E6, 0x73, 0x53)], [])
    eacute, z, enter, cyrillic = (FIRST + at for at in range(4))
    assert keymap.stroke(eacute, CTRL | GROUP2) is OTHER
    assert (keymap.stroke(eacute, CTRL).trigger, keymap.stroke(z, CTRL).trigger, keymap.stroke(z, CTRL | GROUP2).trigger) == ("2", "y", "z")
    assert keymap.stroke(cyrillic, CTRL).trigger == "s"
    for group in (2 << 13, 3 << 13):
        assert all(keymap.stroke(code, CTRL | group) is OTHER for code in (eacute, z, cyrillic))
        assert all(keymap.stroke(code, group) is CHARACTER for code in (eacute, z, cyrillic))
        assert (keymap.stroke(enter, group).named, keymap.stroke(enter, CTRL | group).trigger) == (NamedKey.ENTER, "enter")


@pytest.mark.parametrize("symbol", [0x4B1, 0x5C7, 0x6C1, 0x7E1, 0xCE0, 0xDA1, 0xEA1, 0x1000915, 0x10010D0])
def test_a_letter_of_another_script_is_the_latin_one_of_the_other_group(symbol: int) -> None:
    """Kana, Arabic, Cyrillic, Greek, Hebrew, Thai, Korean, Devanagari, Georgian: as GTK, Qt and browsers take it."""
    assert Keymap(FIRST, [(0x63, 0x43, symbol, symbol)], []).stroke(FIRST, CTRL | GROUP2).trigger == "c"


@pytest.mark.parametrize("symbol", [0xE9, 0x1B1, 0x3BF, 0x13BC, 0x8FB, 0xAC3, 0x1001E9E, 0xFE50, 0x20AC])
def test_another_letter_or_sign_of_the_latin_script_is_not(symbol: int) -> None:
    """Accents, signs, dead keys: what an application takes them for is not sure, so it is no chord."""
    assert Keymap(FIRST, [(0x63, 0x43, symbol, symbol)], []).stroke(FIRST, CTRL | GROUP2) is OTHER


def test_the_keypad_is_digits_with_num_lock_and_acts_without() -> None:
    """And Shift turns it round."""
    keymap, code = us_keymap(), CODES["KP_7"]
    assert keymap.stroke(code, NUM) is CHARACTER
    assert keymap.stroke(code, 0).named is NamedKey.HOME
    assert keymap.stroke(code, NUM | SHIFT).named is NamedKey.HOME


def test_modifiers_locks_and_unknown_keys_have_their_class() -> None:
    """AltGr is a modifier; locks and keys that the layout does not know are nothing."""
    keymap = us_keymap()
    assert all(keymap.stroke(CODES[name], 0) is MODIFIER for name in ("Shift", "Control", "Alt", "Super", "AltGr"))
    assert all(keymap.stroke(code, 0) is OTHER for code in (CODES["Caps"], CODES["NumLock"], CODES["Mute"], 3, 255))


def test_altgr_with_an_act_is_the_act() -> None:
    """AltGr makes no chord: AltGr and Down is Down."""
    stroke = us_keymap().stroke(CODES["Down"], ALTGR | CTRL)
    assert (stroke.sort, stroke.named) == (Sort.NAMED, NamedKey.DOWN)


def test_a_keycode_is_forgotten_when_its_key_comes_up() -> None:
    """And a press carries a running number that says nothing of the key."""
    down, now = KeysDown(us_keymap()), Stage().now
    presses = [down.press(now, CODES[name], 0) for name in ("a", "s", "a")]
    assert [key.press for key in presses] == [1, 2, 1]
    assert [key.repeat for key in presses] == [False, False, True]
    assert [down.release(now, CODES[name]).press for name in ("s", "a", "a")] == [2, 1, 0]
    assert down._down == {}


def test_reprs_of_keys_show_nothing() -> None:
    """A traceback must not say which chord."""
    stroke = us_keymap().stroke(CODES["z"], CTRL)
    assert repr(stroke) == "<Stroke>"
    assert all(name not in repr(stroke) for name in KEYS)
