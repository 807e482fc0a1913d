"""Sites, by their exact host: how a policy writes them, and which of them a host is. Pure; default deny.

A host is compared in one form only, the one in which a browser hands it on: lower case, punycode, no port, no final dot. What is in
another form is not tidied up: it is no site. So a look-alike letter, another's sub-domain and a name behind an `@` never match.
"""

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from consent.vocabulary import SurfaceId

LONGEST = 253
"""Characters of a host's name (RFC 1035, 2.3.4)."""
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_SECONDS = "ac co com edu gob gouv gov go gv id ltd me mil ne net nhs nom or org plc police sch"
_PUBLIC_SECOND = frozenset(_SECONDS.split())
"""Below a country's two letters these are as public as the country: *.co.uk is everybody in the kingdom's trade."""
_HOSTERS = (
    "appspot.com azurewebsites.net blogspot.com cloudfront.net firebaseapp.com fly.dev github.io gitlab.io herokuapp.com netlify.app "
    "ngrok.io onrender.com pages.dev vercel.app web.app workers.dev"
)
_HOSTED_BY_ANYBODY = frozenset(_HOSTERS.split())
"""Below these anybody may put a site. Not the whole public suffix list, which no release of ours could keep up with."""


class HostError(Exception):
    """This is no host that a policy may name; says why in one line."""


@dataclass(frozen=True, slots=True)
class Site:
    """One entry of a policy's `hosts`. `below`: every name below `name`, and not `name` itself; otherwise exactly `name`."""

    name: str
    below: bool = False

    def __str__(self) -> str:
        return f"*.{self.name}" if self.below else self.name


def is_host(text: str) -> bool:
    """Whether this is a host in the one form: a name of two labels or more, or an address."""
    return _is_address(text) or _is_name(text)


def parse(text: str) -> Site:
    """The site that a policy names. Raises HostError."""
    if text.startswith("*."):
        return _below(text.removeprefix("*."))
    if not is_host(text):
        raise HostError("it is not a host in lower case with a dot in it, in punycode, without port, path or final dot")
    return Site(text)


def _below(name: str) -> Site:
    if not _is_name(name):
        raise HostError("only *. and a name in lower case with a dot in it may stand there, in punycode, without port or final dot")
    *_, second, top = name.split(".")
    if name in _HOSTED_BY_ANYBODY or (name == f"{second}.{top}" and len(top) == 2 and second in _PUBLIC_SECOND):
        raise HostError("below this name anybody may have a site; name the hosts")
    return Site(name, below=True)


def _is_name(text: str) -> bool:
    labels = text.split(".")
    if len(text) > LONGEST or len(labels) < 2 or _NUMBER.fullmatch(labels[-1]):
        return False
    return all(_LABEL.fullmatch(label) and _is_of_idna(label) for label in labels)


def _is_of_idna(label: str) -> bool:
    """Hyphens in the third and fourth place are punycode's; what stands behind them must be what IDNA 2008 would write."""
    if label[2:4] != "--":
        return True
    import idna  # 2 MB of tables, for policies that need them

    try:
        return idna.alabel(idna.ulabel(label)) == label.encode()
    except (idna.IDNAError, UnicodeError):
        return False


def _is_address(text: str) -> bool:
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return False
    return text == (str(address) if address.version == 4 else f"[{address}]")


@dataclass(frozen=True, slots=True)
class Sites:
    """The sites of one browser, of which no two surfaces share a host.

    Attributes:
        exact: By a host, its surface.
        below: By a name, the surface of every host below it.
    """

    exact: Mapping[str, SurfaceId]
    below: Mapping[str, SurfaceId]

    @classmethod
    def of(cls, named: Mapping[SurfaceId, Iterable[str]]) -> "Sites":
        """The sites that a policy has named. Raises HostError, also if two surfaces share a host."""
        exact: dict[str, SurfaceId] = {}
        below: dict[str, SurfaceId] = {}
        for surface, hosts in named.items():
            for site in map(parse, hosts):
                taken = below if site.below else exact
                if taken.setdefault(site.name, surface) != surface:
                    raise HostError(f"{taken[site.name]} has it, too")
        for name, surface in [*exact.items(), *below.items()]:
            for other in (below[higher] for higher in _above(name) if higher in below):
                if other != surface:
                    raise HostError(f"{other} and {surface} share hosts")
        return cls(MappingProxyType(exact), MappingProxyType(below))

    def allowed(self, host: str) -> SurfaceId | None:
        """The surface that this host is of; None for every other, and for what is not in the one form."""
        if not is_host(host):
            return None
        if host in self.exact or _is_address(host):
            return self.exact.get(host)
        return next((self.below[higher] for higher in _above(host) if higher in self.below), None)


def _above(name: str) -> Iterator[str]:
    """The names that this one is below: of a.b.c, b.c and c."""
    while "." in name:
        name = name.split(".", maxsplit=1)[1]
        yield name
