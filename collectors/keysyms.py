"""The numbers that X gives to what is printed on keys, as far as a class of key is decided by them. Pure.

Only keys that are acts have a name here; of characters, the 36 letters and digits and seven signs that a chord may have.
"""

from consent.event import Modifier, NamedKey

NAMED = {
    0xFF0D: NamedKey.ENTER,
    0xFF09: NamedKey.TAB,
    0xFE20: NamedKey.TAB,  # ISO_Left_Tab: Tab with Shift
    0xFF1B: NamedKey.ESCAPE,
    0xFF08: NamedKey.BACKSPACE,
    0xFFFF: NamedKey.DELETE,
    0xFF63: NamedKey.INSERT,
    0xFF50: NamedKey.HOME,
    0xFF57: NamedKey.END,
    0xFF55: NamedKey.PAGE_UP,
    0xFF56: NamedKey.PAGE_DOWN,
    0xFF52: NamedKey.UP,
    0xFF54: NamedKey.DOWN,
    0xFF51: NamedKey.LEFT,
    0xFF53: NamedKey.RIGHT,
    0xFF67: NamedKey.MENU,
    0xFF61: NamedKey.PRINT,
    0xFF8D: NamedKey.ENTER,  # of the keypad
} | {0xFFBE + at: NamedKey(f"f{at + 1}") for at in range(12)}

KEYPAD = {
    0xFF95: NamedKey.HOME,
    0xFF96: NamedKey.LEFT,
    0xFF97: NamedKey.UP,
    0xFF98: NamedKey.RIGHT,
    0xFF99: NamedKey.DOWN,
    0xFF9A: NamedKey.PAGE_UP,
    0xFF9B: NamedKey.PAGE_DOWN,
    0xFF9C: NamedKey.END,
    0xFF9E: NamedKey.INSERT,
    0xFF9F: NamedKey.DELETE,
}
"""Keys of the keypad that are acts without Num Lock and digits with it."""
KEYPAD_MIDDLE = 0xFF9D

MODIFIERS = {
    0xFFE1: Modifier.SHIFT,
    0xFFE2: Modifier.SHIFT,
    0xFFE3: Modifier.CTRL,
    0xFFE4: Modifier.CTRL,
    0xFFE9: Modifier.ALT,
    0xFFEA: Modifier.ALT,
    0xFFE7: Modifier.META,
    0xFFE8: Modifier.META,
    0xFFEB: Modifier.META,
    0xFFEC: Modifier.META,
    0xFFED: Modifier.META,
    0xFFEE: Modifier.META,
}
LEVELS = frozenset({0xFE03, 0xFE11, 0xFF7E})
"""AltGr and its like: they choose which character a key makes."""
NUM_LOCK = 0xFF7F

SPACE = 0x20
_SIGNS = {SPACE: "space", 0x2B: "plus", 0x2D: "minus", 0x3D: "equal", 0x2C: "comma", 0x2E: "period", 0x2F: "slash"}
_SIGNS |= {0xFFAB: "plus", 0xFFAD: "minus", 0xFFBD: "equal", 0xFFAF: "slash"}
_DIGITS = {0x30 + digit: str(digit) for digit in range(10)} | {0xFFB0 + digit: str(digit) for digit in range(10)}
_LETTERS = {base + at: chr(0x61 + at) for base in (0x61, 0x41) for at in range(26)}
TRIGGERS = _SIGNS | _DIGITS | _LETTERS
"""Characters that may be the trigger of a chord."""

_CHARACTERS = (
    (0x20, 0xFCFF),  # Latin 1 and the national sets
    (0xFE50, 0xFE93),  # dead keys
    (0xFF20, 0xFF20),  # Compose
    (0xFF80, 0xFF80),  # from here on, the keypad
    (0xFFAA, 0xFFB9),
    (0xFFBD, 0xFFBD),
    (0x1000000, 0x110FFFF),  # Unicode
)
_OTHER_SCRIPTS = (
    (0x4A1, 0x7FF),  # Kana, Arabic, Cyrillic, Greek
    (0xCDF, 0xEFF),  # Hebrew, Thai, Korean
    (0x1000370, 0x1001CFF),  # Unicode, from Greek on to before the phonetic Latin
)


def is_of_another_script(keysym: int) -> bool:
    """Whether a key with this keysym makes a letter of a script that is not Latin."""
    return any(first <= keysym <= last for first, last in _OTHER_SCRIPTS)


def makes_text(keysym: int) -> bool:
    """Whether a key with this keysym makes text."""
    return any(first <= keysym <= last for first, last in _CHARACTERS)
