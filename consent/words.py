"""The closed words that paths, elements and the clipboard are told with. Pure; what is not listed cannot be said."""

from enum import StrEnum


class PathPurpose(StrEnum):
    """Why a pointer's path is told at all."""

    DRAG = "drag"
    APPROACH = "approach"  # it led to a press


class ElementRole(StrEnum):
    """What was chosen, as the accessibility tree says it. A role that is not listed is no choice."""

    MENU_ITEM = "menu_item"
    CHECK_MENU_ITEM = "check_menu_item"
    RADIO_MENU_ITEM = "radio_menu_item"
    OPTION = "option"  # of a combo box
    LIST_ITEM = "list_item"
    TREE_ITEM = "tree_item"
    TAB = "tab"


class ChosenBy(StrEnum):
    CLICK = "click"
    ENTER = "enter"
    SPACE = "space"


class ClipboardAct(StrEnum):
    COPY = "copy"
    CUT = "cut"
    PASTE = "paste"


class ClipboardKind(StrEnum):
    """In which forms the clipboard offers what it has; never what that is."""

    TEXT = "text"
    RICH_TEXT = "rich_text"
    IMAGE = "image"
    FILES = "files"
    OTHER = "other"


class SizeBucket(StrEnum):
    """How many bytes, to the power of ten: an exact size can tell one document from another."""

    UNKNOWN = "unknown"
    NONE = "0"
    TENS = "1-99"
    HUNDREDS = "100-999"
    THOUSANDS = "1k-9k"
    TENS_OF_THOUSANDS = "10k-99k"
    MORE = "100k+"

    @classmethod
    def of(cls, size_bytes: int) -> "SizeBucket":
        """The bucket of a size in bytes."""
        tops = ((0, cls.NONE), (99, cls.TENS), (999, cls.HUNDREDS), (9_999, cls.THOUSANDS), (99_999, cls.TENS_OF_THOUSANDS))
        return next((bucket for top, bucket in tops if size_bytes <= top), cls.MORE)
