"""What an accessibility role says about typing: which sort of field it is, or that no key may be kept. Pure.

Roles are the numbers of AT-SPI. A focused window, frame or application says that its toolkit does not tell what is
focused inside (some browsers): unknown. A terminal may be asking for a password without saying so: unknown.
"""

from collectors.raw import NoRole, Role
from consent.event import FieldRole

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
