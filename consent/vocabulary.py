"""The words every module speaks: kinds, states, and the closed reasons for a no.

Nothing here decides. A word that is not listed here cannot be said: an unknown kind, state or reason does not decode.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NewType

SurfaceId = NewType("SurfaceId", str)
"""An allowlisted app or site, by the id that the policy gives it."""

Purpose = NewType("Purpose", str)
"""What an event may be used for; the name that is bound into its key."""


class Kind(StrEnum):
    """A sort of event. One entry of `consent/register.toml` each; no entry, no kind."""

    POINTER_BUTTON = "pointer_button"
    POINTER_SCROLL = "pointer_scroll"
    POINTER_PATH = "pointer_path"
    KEY_NAMED = "key_named"
    KEY_CHORD = "key_chord"
    TYPING_BURST = "typing_burst"
    SECURE_INPUT = "secure_input"
    FOCUS = "focus"
    ELEMENT = "element"
    CLIPBOARD = "clipboard"
    GAP = "gap"
    CONTROL = "control"


KEY_KINDS = frozenset({Kind.KEY_NAMED, Kind.KEY_CHORD, Kind.TYPING_BURST, Kind.SECURE_INPUT})
"""The kinds that come from keys, and are nowhere kept without a known field role."""


class State(StrEnum):
    """What a subject's standing can be. How one becomes another: `consent.standing`."""

    UNASKED = "unasked"
    CONSENTED = "consented"
    PAUSED = "paused"
    EXEMPT = "exempt"
    WITHDRAWN = "withdrawn"
    BLOCKED = "blocked"


class Why(StrEnum):
    """Why a raw input was refused. Closed: every refusal is counted under exactly one of these.

    The first block is decided by the gate, the second by the observer (which refuses before an event exists),
    the third by the daemon between the gate and the disk.
    """

    NO_CONSENT = "no_consent"
    PAUSED = "paused"
    EXEMPT = "exempt"
    WITHDRAWN = "withdrawn"
    BLOCKED = "blocked"
    OLD_GENERATION = "old_generation"
    NO_INDICATOR = "no_indicator"
    KIND_NOT_CONSENTED = "kind_not_consented"
    SURFACE_NOT_ALLOWED = "surface_not_allowed"
    NOT_IN_SCOPE = "not_in_scope"

    NO_KIND = "no_kind"  # raw input that no kind stands for: a plain move, a modifier alone
    OWN_WINDOW = "own_window"
    ROLE_UNKNOWN = "role_unknown"
    SECURE_FIELD = "secure_field"
    STRUCTURE_ONLY = "structure_only"

    UNPROVEN = "unproven"  # the indicator did not answer the challenge in time
    HOLD_FULL = "hold_full"
    TOO_OLD = "too_old"  # it could not leave for as long as anything waits
    MALFORMED = "malformed"


WHY_WORDS: Mapping[Why, str] = MappingProxyType(
    {
        Why.NO_CONSENT: "before a yes",
        Why.PAUSED: "during a pause",
        Why.EXEMPT: "during an exemption",
        Why.WITHDRAWN: "after a withdrawal",
        Why.BLOCKED: "while recording was blocked",
        Why.OLD_GENERATION: "under a permission that had just ended",
        Why.NO_INDICATOR: "while no icon was visible",
        Why.KIND_NOT_CONSENTED: "of a kind that was not agreed to",
        Why.SURFACE_NOT_ALLOWED: "in an app that is not on the list",
        Why.NOT_IN_SCOPE: "of a kind that was not agreed to in this app",
        Why.NO_KIND: "pointer moves that led to nothing, modifier keys: never recorded",
        Why.OWN_WINDOW: "in windows of Volens itself",
        Why.ROLE_UNKNOWN: "keys where it was not known what was typed into",
        Why.SECURE_FIELD: "in a password field",
        Why.STRUCTURE_ONLY: "keys in an app where keys are never kept",
        Why.UNPROVEN: "the icon did not answer in time for it",
        Why.HOLD_FULL: "no room was left for it on this computer",
        Why.TOO_OLD: "it could not leave for 30 days, and was destroyed",
        Why.MALFORMED: "the observer's count did not add up",
    }
)
"""Each reason for people, to be read behind "refused:"."""


class Automatic(StrEnum):
    """An exemption that nobody needs to ask for: a fact about the session or the hour. It ends by itself when the fact does."""

    OUTSIDE_HOURS = "outside_hours"
    LOCKED = "locked"
    ASLEEP = "asleep"
    ABSENT = "absent"
    OTHER_SESSION = "other_session"
    REMOTE_CONTROLLED = "remote_controlled"
    SCREEN_SHARED = "screen_shared"
    PRIVATE_WINDOW = "private_window"
    METERED_LINK = "metered_link"
    LINK_UNKNOWN = "link_unknown"
    BATTERY_LOW = "battery_low"
    UNPLUGGED = "unplugged"
    NOT_TOLD_YET = "not_told_yet"  # for a second after the start: nothing opens before it was asked whether any of these holds


AUTOMATIC_WORDS: Mapping[Automatic, str] = MappingProxyType(
    {
        Automatic.OUTSIDE_HOURS: "it is outside your hours",
        Automatic.LOCKED: "the screen is locked",
        Automatic.ASLEEP: "the computer goes to sleep",
        Automatic.ABSENT: "nobody is at the computer",
        Automatic.OTHER_SESSION: "another session is in front",
        Automatic.REMOTE_CONTROLLED: "the session is controlled from elsewhere",
        Automatic.SCREEN_SHARED: "the screen is shared",
        Automatic.PRIVATE_WINDOW: "a private window is in front",
        Automatic.METERED_LINK: "the link is metered",
        Automatic.LINK_UNKNOWN: "nothing tells whether the link is metered",
        Automatic.BATTERY_LOW: "the battery is low",
        Automatic.UNPLUGGED: "no charger is plugged in",
        Automatic.NOT_TOLD_YET: "the desktop is being asked whether the screen is locked",
    }
)
"""Each for people, to be read behind "Exempt:"."""


class Blocker(StrEnum):
    """Why collection is refused as a whole though the subject said yes. Shown in `status`."""

    NO_INDICATOR = "no_indicator"
    POLICY_MISSING = "policy_missing"
    POLICY_REFUSED = "policy_refused"
    POLICY_EXPIRED = "policy_expired"
    RECEIPT_INVALID = "receipt_invalid"
    NOTICE_UNACKNOWLEDGED = "notice_unacknowledged"  # nobody has said that they read the notice which the receipt pins
    NOTICE_DUE = "notice_due"  # the notice is due on each day, and was not acknowledged today
    NOTHING_AGREED = "nothing_agreed"  # what was consented to and the present policy have nothing in common
    JOURNAL_UNWRITABLE = "journal_unwritable"
    FOREIGN_SESSION = "foreign_session"  # root, or an account in another's session
    DISPLAY_GONE = "display_gone"
    NOT_OBSERVABLE = "not_observable"  # e.g. Wayland: input cannot be seen by design
    OBSERVER_FAILING = "observer_failing"
    OVER_BUDGET = "over_budget"  # Volens took far too much of the machine, or all that was agreed to is off because it costs too much now
