"""What an accessibility role says: which sort of field it is, or that no key may be kept; and which sort of item it is. Pure.

Roles are the numbers of AT-SPI. A focused window, frame or application says that its toolkit does not tell what is
focused inside (some browsers): unknown. A terminal may be asking for a password without saying so: unknown.
"""

from collectors.raw import NoRole, Role
from consent.event import FieldRole
from consent.words import ElementRole

_ROLES: dict[int, Role] = {
    40: NoRole.SECURE,  # PASSWORD_TEXT
    0: NoRole.UNKNOWN,  # INVALID
    14: NoRole.UNKNOWN,  # DESKTOP_FRAME
    16: NoRole.UNKNOWN,  # DIALOG
    23: NoRole.UNKNOWN,  # FRAME
    28: NoRole.UNKNOWN,  # INTERNAL_FRAME
    46: NoRole.UNKNOWN,  # ROOT_PANE
    60: NoRole.UNKNOWN,  # TERMINAL
    67: NoRole.UNKNOWN,  # UNKNOWN
    69: NoRole.UNKNOWN,  # WINDOW
    70: NoRole.UNKNOWN,  # EXTENDED
    75: NoRole.UNKNOWN,  # APPLICATION
    78: NoRole.UNKNOWN,  # EMBEDDED
    86: NoRole.UNKNOWN,  # REDUNDANT_OBJECT
    61: FieldRole.TEXT,
    73: FieldRole.TEXT,  # PARAGRAPH
    79: FieldRole.ENTRY,
    76: FieldRole.ENTRY,  # AUTOCOMPLETE
    77: FieldRole.TEXT,  # EDITBAR
    11: FieldRole.COMBO_BOX,
    52: FieldRole.SPIN_BUTTON,
    31: FieldRole.LIST,
    32: FieldRole.LIST,  # LIST_ITEM
    55: FieldRole.LIST,  # TABLE: what GTK calls a list
    98: FieldRole.LIST,  # LIST_BOX
    65: FieldRole.TREE,
    66: FieldRole.TREE,  # TREE_TABLE
    91: FieldRole.TREE,  # TREE_ITEM
    82: FieldRole.DOCUMENT,  # DOCUMENT_FRAME
    92: FieldRole.DOCUMENT,  # DOCUMENT_SPREADSHEET
    93: FieldRole.DOCUMENT,  # DOCUMENT_PRESENTATION
    94: FieldRole.DOCUMENT,  # DOCUMENT_TEXT
    95: FieldRole.DOCUMENT,  # DOCUMENT_WEB
    96: FieldRole.DOCUMENT,  # DOCUMENT_EMAIL
}
_LAST_KNOWN = 130


def role_of(number: int) -> Role:
    """What a focused object with this AT-SPI role is. A number that AT-SPI does not have is unknown."""
    if not 0 <= number <= _LAST_KNOWN:
        return NoRole.UNKNOWN
    return _ROLES.get(number, FieldRole.OTHER)


_MENU_BAR = 34
_TABLE, _TREE, _TREE_TABLE = 55, 65, 66
_CELL, _LIST_ITEM = 56, 32
_ITEMS = {
    8: ElementRole.CHECK_MENU_ITEM,
    35: ElementRole.MENU_ITEM,
    45: ElementRole.RADIO_MENU_ITEM,
    _LIST_ITEM: ElementRole.LIST_ITEM,
    91: ElementRole.TREE_ITEM,
    37: ElementRole.TAB,
    _CELL: None,  # its parent says which
}
_OPTIONS = frozenset({35, _LIST_ITEM, _CELL})
_CELLS = {_TABLE: ElementRole.LIST_ITEM, _TREE: ElementRole.TREE_ITEM, _TREE_TABLE: ElementRole.TREE_ITEM}
ITEMS = frozenset(_ITEMS)
"""Roles of what can be chosen."""
MENU_ITEMS = frozenset({8, 35, 45})
ROWS = frozenset({_LIST_ITEM, 91})
KEEPS_ITEMS = frozenset({31, 38, _TABLE, _TREE, _TREE_TABLE, 98})
"""Roles of what may have the focus while one of its items is the one: lists, trees, rows of tabs."""


def element_role(number: int, parent: int, in_combo_box: bool) -> ElementRole | None:
    """What an object with this role is to the person, given its parent's role; None: nothing that is chosen."""
    if parent == _MENU_BAR or number not in _ITEMS:
        return None
    if in_combo_box and number in _OPTIONS:
        return ElementRole.OPTION
    return _CELLS.get(parent) if number == _CELL else _ITEMS[number]
