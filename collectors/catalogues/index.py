"""Which texts an app's interface has: a number for each, never the texts themselves. Pure.

A text that a program puts something into (a file's name, a count) is no vocabulary, and neither is one that is not a line of print.
The numbers are Python's own of a text: 64 bits, keyed anew in each process, so that they mean nothing outside of it. That
a text of the subject's has the number of one of 30,000 is a matter of 1 in 600 million million, for each text that is asked for.
"""

import re
import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import islice

LONGEST = 80
"""Characters of a label, at most; the register promises it."""
BITS = 64
"""Where Python's numbers are shorter, as on a 32-bit system, nothing is vocabulary."""
RUN = 4096
"""Texts that are sorted at once: a sorted whole would need five times the memory while it is made."""
MOST_TEXTS = 100_000
"""0.8 MB. The largest interface measured, a browser's, has 9,000; what comes after this many is not vocabulary."""
_FILLED = re.compile(r"%(?!\s*$|\s*[)\].,:;!])|[{}]|\$[\w(]|@\w|://")
"""What programs fill in (%s, %1, %n, {0}, $1), and addresses, which are somebody's."""
_MARKED = re.compile(r"([_&])(?:\1|(?=\S))")
_MARKED_APART = re.compile(r"\s*\([_&]\w\)")
_PRINTED = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u200c": None, "\u200d": None})
"""Spaces and joiners that languages are printed with (French, Persian)."""


def may_be_word(text: str) -> bool:
    """Whether a text can be vocabulary at all."""
    return 0 < len(text) <= LONGEST and plain(text).isprintable() and not _FILLED.search(text)


def plain(text: str) -> str:
    """A word as it is told: with plain spaces, and without what joins or parts letters unseen."""
    return text.translate(_PRINTED)


def forms(text: str) -> Iterator[str]:
    """A catalogue's text as an interface shows it: as it stands, and without the mark of the letter that Alt chooses."""
    yield text
    for mark in "_&":
        if mark in text:
            yield _MARKED_APART.sub("", text)
            yield _without(mark, text)


def _without(mark: str, text: str) -> str:
    return _MARKED.sub(lambda found: found[0][1:] if found[1] == mark else found[0], text)


class Index:
    """The texts of these catalogues, as numbers in sorted runs."""

    def __init__(self, texts: Iterable[str]) -> None:
        words = (hash(form) for text in texts for form in forms(text) if may_be_word(form))
        bounded = islice(words, MOST_TEXTS if sys.hash_info.width >= BITS else 0)
        self._runs: list[array[int]] = []
        while run := set(islice(bounded, RUN)):
            self._runs.append(array("q", sorted(number for number in run if not self._has(number))))

    def __contains__(self, text: str) -> bool:
        return may_be_word(text) and self._has(hash(text))

    def __len__(self) -> int:
        return sum(map(len, self._runs))

    def _has(self, number: int) -> bool:
        return any(run[at] == number for run in self._runs if (at := bisect_left(run, number)) < len(run))
