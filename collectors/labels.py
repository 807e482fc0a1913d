"""Which labels stay readable: only interface vocabulary, never learnt by watching. Pure.

Refuses by default: what is no word of the interface is nothing.
"""

from typing import Protocol


class Labels(Protocol):
    """What one program's interface says."""

    def word(self, text: str) -> str:
        """The text, if it is vocabulary of this interface; otherwise nothing."""


class NoLabels:
    """Nothing is vocabulary: of a structure-only surface, or of a window that is not recorded."""

    def word(self, text: str) -> str:  # noqa: ARG002
        """Nothing."""
        return ""
