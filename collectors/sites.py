"""Which surface a page is of, by its host: all else of its address dies here. Pure; default deny.

What comes in is what a browser says its document's address is. What goes out is a rule of the grant, or nothing: no host that the policy
does not name, and no byte of a path, a query, a fragment, a name or a password.
"""

import re
from collections.abc import Iterable

from collectors.pipe import SurfaceRule
from consent.hosts import HostError, Sites

LONGEST_CHARACTERS = 1 << 16
"""A longer address is not looked at (browsers cut at 2 MB; a host has 253 characters)."""
_ADDRESS = re.compile(r"https?://(?P<host>\[[0-9a-f:.]+\]|[a-z0-9.-]+)(:[0-9]{1,5})?([/?#][^\s\x00-\x1f\x7f]*)?", re.ASCII | re.DOTALL)
"""In the form in which browsers write addresses: scheme and host in lower case; no name before an `@`, no backslash, no space."""


class Browser:
    """The sites that one browser's pages may be of.

    Args:
        rules: All surfaces with hosts that list the browser; the policy's parser has seen to it that no two share a host.
    """

    def __init__(self, rules: Iterable[SurfaceRule]) -> None:
        self._rules = {rule.surface: rule for rule in rules}
        try:
            self._sites = Sites.of({surface: rule.hosts for surface, rule in self._rules.items()})
        except HostError:
            self._sites = Sites({}, {})

    def rule_of(self, address: object) -> SurfaceRule | None:
        """The rule that a page with this address comes under; None for every other, and for whatever is in doubt."""
        host = host_of(address)
        surface = self._sites.allowed(host) if host else None
        return self._rules[surface] if surface is not None else None

    @property
    def keys_anywhere(self) -> bool:
        """Whether keys may be kept in any of them."""
        return not all(rule.structure_only for rule in self._rules.values())


def host_of(address: object) -> str:
    """The host in an address of http or https; empty for any other, and for one that is not in the form of browsers."""
    if not isinstance(address, str) or len(address) > LONGEST_CHARACTERS:
        return ""
    read = _ADDRESS.fullmatch(address)
    return read["host"] if read else ""
