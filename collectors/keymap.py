"""The place where key identity dies: a keycode comes in, a class goes out, and nothing after it can tell letters apart. Pure.

The table is made from the live layout and made again whenever the layout changes. A keycode is remembered only while its
key is down, so that its release is taken for what its press was.
"""

from collections.abc import Sequence
from dataclasses import replace

from collectors import keysyms
from collectors.raw import CHARACTER, MODIFIER, OTHER, Key, Sort, Stroke
from consent.event import Clocks, Modifier, NamedKey

SHIFT, LOCK, CONTROL = 1, 2, 4
_GROUPS = 2
"""Groups (layouts to switch between) that the core protocol's table gives apart; where a third one is in it cannot be told."""
_FIRST_MOD = 3  # Mod1 is the fourth of the eight modifiers
_ORDER = (Modifier.CTRL, Modifier.ALT, Modifier.META)


class Keymap:
    """What keys mean in the layout that is in force.

    Args:
        first: The lowest keycode.
        symbols: For each keycode from `first` on: its keysyms, in the order of the X protocol (first group plain and
            shifted, second group plain and shifted, ...).
        modifiers: For each of X's eight modifiers, the keycodes that set it.
    """

    def __init__(self, first: int, symbols: Sequence[Sequence[int]], modifiers: Sequence[Sequence[int]]) -> None:
        self._first = first
        self._symbols = [tuple(symbol for symbol in row[:4]) for row in symbols]
        masks = dict.fromkeys(_ORDER, 0) | {Modifier.CTRL: CONTROL}
        self._levels = self._num_lock = 0
        for at, keycodes in enumerate(modifiers):
            if at < _FIRST_MOD:
                continue
            present = {symbol for keycode in keycodes if keycode for symbol in self._row(keycode)}
            self._levels |= bool(present & keysyms.LEVELS) << at
            self._num_lock |= (keysyms.NUM_LOCK in present) << at
            means = {keysyms.MODIFIERS[symbol] for symbol in present if symbol in keysyms.MODIFIERS}
            if Modifier.ALT in means:  # Alt and Meta often share one
                masks[Modifier.ALT] |= 1 << at
            elif Modifier.META in means:
                masks[Modifier.META] |= 1 << at
        self._masks = masks

    def stroke(self, keycode: int, state: int) -> Stroke:
        """What pressing a key means. `state`: modifiers and group, as in an X event."""
        row = self._row(keycode)
        group = (state >> 13) & 3
        symbol = (row[2 * group] if group < _GROUPS and len(row) > 2 * group else 0) or (row[0] if row else 0)
        if symbol in keysyms.MODIFIERS or symbol in keysyms.LEVELS:
            return MODIFIER
        named = self._named(symbol, state)
        text = named is None and (keysyms.makes_text(symbol) or symbol in keysyms.KEYPAD or symbol == keysyms.KEYPAD_MIDDLE)
        if state & self._levels:  # AltGr makes text, with Ctrl or Alt as well
            return CHARACTER if text else _plain(named, state)
        held = tuple(modifier for modifier in _ORDER if state & self._masks[modifier])
        if not held:
            return CHARACTER if text else _plain(named, state)
        trigger = named.value if named else self._trigger(row, symbol) if group < _GROUPS else ""
        if not trigger:
            return OTHER
        return Stroke(Sort.CHORD, modifiers=(*held, Modifier.SHIFT) if state & SHIFT else held, trigger=trigger)

    def activates(self, keycode: int, state: int) -> bool:
        """Whether it is Space with nothing held: asked only while there is something that it may choose."""
        return self._row(keycode)[:1] == (keysyms.SPACE,) and not state & (SHIFT | CONTROL | self._levels | sum(self._masks.values()))

    def _row(self, keycode: int) -> tuple[int, ...]:
        at = keycode - self._first
        return self._symbols[at] if 0 <= at < len(self._symbols) else ()

    def _named(self, symbol: int, state: int) -> NamedKey | None:
        if symbol in keysyms.KEYPAD:
            digits = bool(state & self._num_lock) != bool(state & SHIFT)
            return None if digits else keysyms.KEYPAD[symbol]
        return keysyms.NAMED.get(symbol)

    @staticmethod
    def _trigger(row: tuple[int, ...], symbol: int) -> str:
        """The name of a chord's key: what the layout in force has there. Where that is a letter of another script, applications take
        the Latin one of the other group, and so do we; where it is anything else that is not on the list, there is no name."""
        others = (row[at] for at in (0, 2) if at < len(row)) if keysyms.is_of_another_script(symbol) else ()
        return next((keysyms.TRIGGERS[choice] for choice in (symbol, *others) if choice in keysyms.TRIGGERS), "")


def _plain(named: NamedKey | None, state: int) -> Stroke:
    return OTHER if named is None else Stroke(Sort.NAMED, named=named, shift=bool(state & SHIFT))


class KeysDown:
    """Which keys are down now, and what each press meant. Nothing else remembers a keycode, and this one forgets it on release."""

    def __init__(self, keymap: Keymap) -> None:
        self.keymap = keymap
        self._down: dict[int, Key] = {}
        self._presses = 0

    def press(self, at: Clocks, keycode: int, state: int) -> Key:
        """A key went down; or, if it was down already, repeated."""
        before = self._down.get(keycode)
        if before is not None:
            return replace(before, at=at, repeat=True)
        self._presses += 1
        key = Key(at, self._presses, self.keymap.stroke(keycode, state), down=True)
        self._down[keycode] = key
        return key

    def release(self, at: Clocks, keycode: int) -> Key:
        """A key went up. One that was never seen going down stands for nothing."""
        before = self._down.pop(keycode, None)
        if before is None:
            return Key(at, 0, OTHER, down=False)
        return replace(before, at=at, down=False)
