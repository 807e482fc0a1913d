"""A wider net than the demo's: one character at a time, keysyms, and pieces of a secret."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from agent.demo.canaries import Canary, Net, forms

HEAD = 8
"""Bytes by which a form is looked up; none is shorter than a piece's keycodes."""
PIECE = 12
"""Characters, 48 random bits: long enough to stand nowhere by chance, half of a canary."""


def every_form(text: str, keycodes: Mapping[str, int]) -> set[bytes]:
    """All forms of the demo's net, of the whole and of its pieces; lists of characters and keysyms; keycodes of presses and releases."""
    pieces = {text[-PIECE:], text[-16 : PIECE - 16 or None]}
    found = {form for one in (text, *pieces) for form in forms(one, keycodes).values()}
    for one in pieces:
        codes = [keycodes[each] for each in one]
        found |= {bytes(code for each in codes for code in (each, each)), bytes(code for each in codes for code in (2, each, 3, each))}
        found |= {mark.join(one).encode() for mark in (" ", ",", ", ", "\n", '", "', '","', "', '")}
        for numbers in ([str(ord(each)) for each in one], [hex(ord(each)) for each in one], [f"{keycodes[each]:02x}" for each in one]):
            found |= {mark.join(numbers).encode() for mark in (",", ", ", " ", "\n")}
    return found


class WideNet(Net):
    """See `agent.demo.canaries.Net`."""

    def __init__(self, canaries: Iterable[Canary], keycodes: Mapping[str, int]) -> None:
        self.patterns = {pattern for canary in canaries for pattern in every_form(canary.text, keycodes)}
        self._heads: dict[bytes, list[bytes]] = defaultdict(list)
        for pattern in self.patterns:
            self._heads[pattern[:HEAD]].append(pattern)

    def hits(self, data: bytes) -> int:
        """How many forms of any canary stand in `data`; as fast for thousands as for one."""
        heads, places = self._heads, range(len(data) - HEAD + 1)
        return sum(data.startswith(form, at) for at in places if data[at : at + HEAD] in heads for form in heads[data[at : at + HEAD]])
