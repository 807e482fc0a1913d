"""Which labels stay readable: only interface vocabulary, never learnt by watching. Pure; catalogues come in as texts.

Refuses by default: what stands, to the character, in no installed catalogue of the app and not in the signed policy's list, is no word.
"""

from collections.abc import Callable, Iterable
from typing import Protocol

from collectors.catalogues.index import LONGEST, Index, plain


class Labels(Protocol):
    """What one program's interface says."""

    def word(self, text: str) -> str:
        """The text, if it is vocabulary of this interface; otherwise nothing. Its spaces come back as plain ones."""


class NoLabels:
    """Nothing is vocabulary: of a structure-only surface, or of a window that is not recorded."""

    def word(self, text: str) -> str:  # noqa: ARG002
        """Nothing."""
        return ""


class Vocabulary:
    """One program's labels. Its catalogues are read when the first label is asked for, and not before.

    Args:
        texts: Opens them; called once at most.
        words: The policy's list, exactly.
    """

    def __init__(self, texts: Callable[[], Iterable[str]], words: Iterable[str] = ()) -> None:
        self._texts = texts
        self._words = frozenset(word for word in words if 0 < len(word) <= LONGEST and word.isprintable())
        self._index: Index | None = None

    def word(self, text: str) -> str:
        """See `Labels`."""
        if text in self._words:
            return text
        if not text or len(text) > LONGEST:
            return ""
        if self._index is None:
            self._index = Index(self._texts())
        return plain(text) if text in self._index else ""
