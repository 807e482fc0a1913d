"""What daemon and observer say to each other. Down: one Grant, for life. Up: what was seen, and how the hooks are.

The observer's life is one generation: there is no message to change a permission, only a kill and a new child.
Every `Observed` reconciles by itself: seen = sum of n over its events + sum of dropped.
"""

import msgspec

from consent.event import Count, Event
from consent.vocabulary import Kind, SurfaceId, Why


class SurfaceRule(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """How a surface is recognised: by its programs' files (`collectors.programs`), never by title or class.

    Attributes:
        structure_only: Only pointer, scroll, focus: no keys of any kind (terminals, mail, chat).
        packages: Debian packages, one of which must have brought the program; none: its path is enough.
        hosts: A site's (`collectors.sites`); none: the whole app.
        words: Labels that may stay readable besides those of its installed message catalogues.
    """

    surface: SurfaceId
    executables: tuple[str, ...]
    structure_only: bool
    packages: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


class Grant(msgspec.Struct, frozen=True, tag="grant", forbid_unknown_fields=True):
    """The permission of one generation: what may be hooked, and where it may be looked at."""

    generation: Count
    kinds: frozenset[Kind]
    surfaces: tuple[SurfaceRule, ...]


class CollectorState(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How one collector is. `state`: live, degraded (works, with less), dead. `why` is for people, without content."""

    kind: Kind
    state: str
    why: str = ""


class Hooked(msgspec.Struct, frozen=True, tag="hooked", forbid_unknown_fields=True):
    """The hooks are in place (sent once), or their health changed."""

    generation: Count
    collectors: tuple[CollectorState, ...]


class Front(msgspec.Struct, frozen=True, tag="front", forbid_unknown_fields=True):
    """Whether the window in front is one that is recorded. For the indicator; never stored."""

    generation: Count
    recorded: bool


class Observed(msgspec.Struct, frozen=True, tag="observed", forbid_unknown_fields=True):
    """Events and counts since the last message. seen = sum(event.n) + sum(dropped.values())."""

    generation: Count
    seen: Count
    events: tuple[Event, ...]
    dropped: dict[Why, Count]


class Failed(msgspec.Struct, frozen=True, tag="failed", forbid_unknown_fields=True):
    """The observer cannot go on and ends: `blocker` is a `consent.vocabulary.Blocker`, `why` one line for people."""

    generation: Count
    blocker: str
    why: str


Upward = Hooked | Front | Observed | Failed

encode = msgspec.msgpack.Encoder().encode
decode_down = msgspec.msgpack.Decoder(Grant).decode
decode_up: msgspec.msgpack.Decoder[Upward] = msgspec.msgpack.Decoder(Upward)
