"""The policy: the most that the controller may ask for, as it was published. Parsed once, at the edge; frozen inside. Pure.

A policy can only offer: what a person consented to, met with this, is what may be observed. It cannot name a person,
turn anything on, or shorten a promise. Unknown keys, NaN, infinities and surprising values are refused as a whole.
"""

import hashlib
import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Literal

import msgspec

from consent.event import MAX_LABEL
from consent.hosts import HostError, Sites
from consent.programs import is_browser, runs_anything
from consent.scope import SURFACELESS, Scope
from consent.unreadable import UNREADABLE
from consent.vocabulary import Kind, Purpose, SurfaceId

MAX_POLICY_BYTES = 256 * 1024
"""200 surfaces of 500 bytes are 100 KB; more is not a policy that anybody can read."""

STRUCTURE_ONLY_CATEGORIES = frozenset({"terminal", "mail", "chat", "assistant", "secrets", "hr", "health", "banking"})
"""Where no key of any kind is kept, whatever the policy says: there, what is typed is the content."""

STRUCTURE_KINDS = frozenset({Kind.POINTER_BUTTON, Kind.POINTER_SCROLL, Kind.POINTER_PATH, Kind.FOCUS})
"""All that may be asked for there. Every other kind, one that does not exist yet too (a frame, a label, the clipboard), is refused
until somebody writes it down here; tests/consent/test_policy.py names those that never may be."""


_Id = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]{0,62}\Z")]
_Line = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
_Category = Literal["work", "browser", "terminal", "mail", "chat", "assistant", "secrets", "hr", "health", "banking"]
_Executable = Annotated[str, msgspec.Meta(pattern=r"^/[^\x00-\x1f]{1,255}\Z")]
_Package = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9+.-]{1,100}\Z")]
"""A Debian package's name (Debian policy, 5.6.1), without its architecture."""
_Word = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_LABEL)]
_Host = Annotated[str, msgspec.Meta(max_length=255)]
_PUBLIC_KEY_BYTES = 1216
_VERIFY_KEY_BYTES = 32


class PolicyError(Exception):
    """The policy cannot be used; nothing is collected under it."""


class _Closed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Read strictly: no other key, no number for a text or a text for a number, no fraction for an integer."""


class _PurposeIn(_Closed, frozen=True):
    id: _Id
    title: _Line
    public_key: Annotated[str, msgspec.Meta(max_length=2000)]
    readers: _Line
    retention_days: Annotated[int, msgspec.Meta(ge=1, le=3650)]


class _SurfaceIn(_Closed, frozen=True):
    id: _Id
    name: _Line
    executables: Annotated[list[_Executable], msgspec.Meta(min_length=1, max_length=16)]
    category: _Category
    purpose: _Id
    kinds: Annotated[list[Annotated[str, msgspec.Meta(pattern=r"^[a-z_]{1,40}\Z")]], msgspec.Meta(min_length=1)]
    packages: Annotated[list[_Package], msgspec.Meta(min_length=1, max_length=16)] | None = None
    hosts: Annotated[list[_Host], msgspec.Meta(min_length=1, max_length=64)] | None = None
    words: Annotated[list[_Word], msgspec.Meta(min_length=1, max_length=1000)] | None = None


class _ReviewerIn(_Closed, frozen=True):
    name: _Line
    key: Annotated[str, msgspec.Meta(max_length=2000)]
    verify: Annotated[str, msgspec.Meta(max_length=64)]


class _PolicyIn(_Closed, frozen=True):
    format: Literal[1]
    version: Annotated[int, msgspec.Meta(ge=1, le=2**31)]
    controller: _Line
    receiver: Annotated[str, msgspec.Meta(pattern=r"^https?://[^\s/]+\Z", max_length=200)]
    hold_min_s: Annotated[int, msgspec.Meta(ge=900, le=7 * 86400)]
    purposes: Annotated[list[_PurposeIn], msgspec.Meta(min_length=1, max_length=8)]
    surfaces: Annotated[list[_SurfaceIn], msgspec.Meta(max_length=1000)]
    notice: Literal["once", "daily"] = "once"
    reviewer: _ReviewerIn | None = None


_decode = msgspec.json.Decoder(_PolicyIn).decode
_VALUE = re.compile(r"Invalid enum value .*?(?= - at `|\Z)", re.DOTALL)
_BYTE = re.compile(r" \(byte \d+\)\Z")
_KEY = re.compile(r"unknown field `(?![A-Za-z0-9_-]{1,40}`(?: - at `|\Z)).*?`(?= - at `|\Z)", re.DOTALL)


def _malformed(error: Exception) -> str:
    """What is wrong, and where, in one line; no value is repeated, and no key that is none."""
    if not isinstance(error, msgspec.ValidationError):
        where = _BYTE.search(str(error))
        return f"the policy is malformed at the whole: it is no JSON{where[0] if where else ''}"
    said = _KEY.sub("unknown field", _VALUE.sub("It is none of the words or numbers that may stand there", str(error)))
    what, _, place = said.partition(" - at `$.")
    return f"the policy is malformed at {place.rstrip('`') or 'the whole'}: {what.replace('`', '')}"


def _shown(read: _PolicyIn) -> None:
    """Line breaks, escapes, and marks that turn the direction of writing could show another text than the one that is signed."""
    texts = [("controller", read.controller), ("receiver", read.receiver)]
    texts += [("reviewer.name", read.reviewer.name)] if read.reviewer else []
    for at, purpose in enumerate(read.purposes):
        texts += [(f"purposes[{at}].title", purpose.title), (f"purposes[{at}].readers", purpose.readers)]
    for at, surface in enumerate(read.surfaces):
        texts.append((f"surfaces[{at}].name", surface.name))
        for what in ("executables", "hosts", "words"):
            texts += [(f"surfaces[{at}].{what}[{n}]", each) for n, each in enumerate(getattr(surface, what) or ())]
    for place, text in texts:
        if not text.isprintable():
            raise PolicyError(f"the policy is malformed at {place}: it has characters that cannot be shown")


@dataclass(frozen=True, slots=True)
class PurposeTerms:
    """What a purpose means: its key (X-Wing, 1,216 bytes), who can open it, and for how long it may be kept."""

    id: Purpose
    title: str
    public_key: bytes
    readers: str
    retention_days: int

    @property
    def key_id(self) -> bytes:
        """32 bytes that name the key in an envelope's header: its SHA-256."""
        return hashlib.sha256(self.public_key).digest()

    @property
    def fingerprint(self) -> str:
        """What this purpose was said to be: a hash, hex, of its title and of who can open it, which its id alone does not fix."""
        return hashlib.sha256("\n".join([self.title, self.readers]).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class SurfaceTerms:
    """An app or a site, by what it is and not by what it is called; what is asked for there, and for which purpose.

    Attributes:
        executables: Resolved paths of its programs; for a site, of the browsers in which it counts.
        packages: Debian packages, of which one must have brought the program wherever the system can say so; none: the path alone counts.
        hosts: A site's hosts, as `consent.hosts` reads them; none: the whole app.
        words: Labels that may stay readable besides those of its installed message catalogues.
    """

    id: SurfaceId
    name: str
    executables: tuple[str, ...]
    category: str
    purpose: Purpose
    kinds: frozenset[Kind]
    packages: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> str:
        """What this surface really is: a hash, hex, of all but its name, purpose and kinds."""
        named = [f"package {each}" for each in sorted(self.packages)] + [f"host {each}" for each in sorted(self.hosts)]
        named += [f"word {each}" for each in sorted(self.words)]
        return hashlib.sha256("\n".join([self.category, *sorted(self.executables), *named]).encode()).hexdigest()

    @property
    def structure_only(self) -> bool:
        """Whether keys of any kind are refused here."""
        return self.category in STRUCTURE_ONLY_CATEGORIES


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Who decides about exemptions: a name, the key that reasons are sealed to (X-Wing), the key that decisions verify with (Ed25519)."""

    name: str
    key: bytes
    verify: bytes


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy as published. `version` rises with every change; `daily_notice`: the notice has to be acknowledged on each day.

    Without a `reviewer` nobody decides about exemptions; they hold.
    """

    version: int
    controller: str
    receiver: str
    hold_min_s: int
    purposes: Mapping[Purpose, PurposeTerms]
    surfaces: Mapping[SurfaceId, SurfaceTerms]
    daily_notice: bool = False
    reviewer: Reviewer | None = None

    def scope(self) -> Scope:
        """Everything that it asks for. The surfaceless kinds serve every purpose's first: they carry no content."""
        grants: dict[tuple[SurfaceId | None, Kind], Purpose] = {}
        for surface in self.surfaces.values():
            for kind in surface.kinds:
                grants[surface.id, kind] = surface.purpose
        first = next(iter(self.purposes))
        return Scope(MappingProxyType(grants | {(None, kind): first for kind in SURFACELESS}))


def _key(text: str, whose: str, key_bytes: int = _PUBLIC_KEY_BYTES) -> bytes:
    try:
        key = b64decode(text, validate=True)
    except ValueError:
        raise PolicyError(f"the public key of {whose} is not base64") from None
    if len(key) != key_bytes:
        raise PolicyError(f"the public key of {whose} has {len(key)} bytes and not {key_bytes}")
    return key


def _reviewer(raw: _ReviewerIn | None) -> Reviewer | None:
    if raw is None:
        return None
    return Reviewer(raw.name, _key(raw.key, "the reviewer"), _key(raw.verify, "the reviewer's decisions", _VERIFY_KEY_BYTES))


def _purpose(raw: _PurposeIn) -> PurposeTerms:
    public_key = _key(raw.public_key, f"purpose {raw.id}")
    return PurposeTerms(Purpose(raw.id), raw.title, public_key, raw.readers, raw.retention_days)


def _surface(raw: _SurfaceIn, purposes: Mapping[Purpose, PurposeTerms]) -> SurfaceTerms:
    unknown = sorted(set(raw.kinds) - {kind.value for kind in Kind})
    if unknown:
        raise PolicyError(f"surface {raw.id} asks for kinds that do not exist: {', '.join(unknown)}")
    kinds = frozenset(Kind(kind) for kind in raw.kinds)
    if kinds & SURFACELESS:
        raise PolicyError(f"surface {raw.id} asks for a kind that is of no surface")
    if raw.category in STRUCTURE_ONLY_CATEGORIES and not kinds <= STRUCTURE_KINDS:
        raise PolicyError(f"surface {raw.id} is {raw.category}: no key of any kind, frame, label or clipboard may be asked for there")
    if raw.words and Kind.ELEMENT not in kinds:
        raise PolicyError(f"surface {raw.id} lists words, and asks for no element whose label could be one of them")
    if Purpose(raw.purpose) not in purposes:
        raise PolicyError(f"surface {raw.id} names a purpose that the policy does not have")
    if any(runs_anything(path) for path in raw.executables):
        raise PolicyError(f"surface {raw.id} lists an interpreter, a shell or another program that runs anything; list the program itself")
    if not raw.hosts and any(map(is_browser, raw.executables)):
        raise PolicyError(f"surface {raw.id} lists a browser with all that it shows, private windows too; name the hosts")
    for what, named in (
        ("executable", raw.executables),
        ("package", raw.packages or []),
        ("host", raw.hosts or []),
        ("word", raw.words or []),
    ):
        _once(named, what)
    limits = tuple(raw.packages or ()), tuple(raw.hosts or ()), tuple(raw.words or ())
    return SurfaceTerms(SurfaceId(raw.id), raw.name, tuple(raw.executables), raw.category, Purpose(raw.purpose), kinds, *limits)


def _apart(surfaces: Mapping[SurfaceId, SurfaceTerms]) -> None:
    """Raises PolicyError unless every window is of one surface at most: a program of several has hosts in all, and no host in two."""
    listing: dict[str, list[SurfaceTerms]] = {}
    for surface in surfaces.values():
        _sites(surface)
        for path in surface.executables:
            listing.setdefault(path, []).append(surface)
    for several in {tuple(each.id for each in found): found for found in listing.values() if len(found) > 1}.values():
        if not all(each.hosts for each in several):
            raise PolicyError("the policy names an executable twice, and not as the browser of sites only")
        _sites(*several)


def _sites(*surfaces: SurfaceTerms) -> None:
    try:
        Sites.of({each.id: each.hosts for each in surfaces})
    except HostError as error:
        raise PolicyError(f"a host of surface {surfaces[0].id} cannot be used: {error}") from None


def _once(names: list[str], what: str) -> None:
    if len(set(names)) != len(names):
        raise PolicyError(f"the policy names a {what} twice")


def parse(raw: bytes) -> Policy:
    """The policy in these JSON bytes. Raises PolicyError with one line that says what is wrong; values are not repeated."""
    if len(raw) > MAX_POLICY_BYTES:
        raise PolicyError(f"the policy is longer than {MAX_POLICY_BYTES} bytes")
    try:
        read = _decode(raw)
    except UNREADABLE as error:
        raise PolicyError(_malformed(error)) from None
    _shown(read)
    _once([purpose.id for purpose in read.purposes], "purpose")
    _once([surface.id for surface in read.surfaces], "surface")
    purposes = {Purpose(each.id): _purpose(each) for each in read.purposes}
    surfaces = {SurfaceId(each.id): _surface(each, purposes) for each in read.surfaces}
    _apart(surfaces)
    return Policy(
        read.version,
        read.controller,
        read.receiver,
        read.hold_min_s,
        MappingProxyType(purposes),
        MappingProxyType(surfaces),
        reviewer=_reviewer(read.reviewer),
        daily_notice=read.notice == "daily",
    )
