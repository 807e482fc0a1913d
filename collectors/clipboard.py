"""That something was copied, cut or pasted: in which forms, and about how large. Never what. Pure.

Forms are known by a closed list of names that we bring ourselves. The name of a form that is not on it is never asked for: some
programs write the copied document's path into it.
"""

from collections.abc import Collection
from dataclasses import dataclass

from collectors.account import Account
from collectors.acts import Place
from collectors.minimise import Context
from collectors.raw import Key, NoRole, Sort, Stroke
from consent.event import Clipboard, Clocks, Event, Modifier, NamedKey
from consent.vocabulary import SurfaceId
from consent.words import ClipboardAct, ClipboardKind, SizeBucket

ANSWER_MS = 1_500
"""How long it is waited for what an owner says it offers; a program is often busy with what it copies."""
CUT_MS = 1_000
"""How long before a change of the clipboard its cut may have been pressed; a busy program takes its time."""
SECRETS = ("x-kde-passwordManagerHint", "application/x-kde-passwordManagerHint", "org.nspasteboard.ConcealedType")
"""Forms by which password managers and browsers say that this is a secret: then nothing at all is told."""
TEXTS = ("UTF8_STRING", "text/plain;charset=utf-8", "STRING", "text/plain", "TEXT", "COMPOUND_TEXT")
FILES = ("text/uri-list", "x-special/gnome-copied-files", "x-special/mate-copied-files", "application/x-kde-cutselection")
_RICH = ("text/html", "text/rtf", "application/rtf", "text/richtext", "application/x-qt-richtext", "text/_moz_htmlcontext")
_IMAGES = ("image/png", "image/jpeg", "image/bmp", "image/gif", "image/tiff", "image/webp", "image/svg+xml", "image/x-bmp", "image/x-icon")
FORMS: dict[str, ClipboardKind] = (
    dict.fromkeys(TEXTS, ClipboardKind.TEXT)
    | dict.fromkeys(_RICH, ClipboardKind.RICH_TEXT)
    | dict.fromkeys((*_IMAGES, "PIXMAP"), ClipboardKind.IMAGE)
    | dict.fromkeys(FILES, ClipboardKind.FILES)
)
"""The forms that are known, by the names that X gives them."""
MEASURED = (*TEXTS[:4], FILES[0])
"""Forms of which the size is asked for, the first that is offered. Never an image's: its program would have to encode it first."""


def kinds_of(forms: Collection[str]) -> tuple[ClipboardKind, ...] | None:
    """What is on the clipboard, by the forms that it is offered in; None: it is a secret.

    Args:
        forms: Names of `FORMS` and `SECRETS`; an empty one for each that is neither.
    """
    if not set(SECRETS).isdisjoint(forms):
        return None
    known = {FORMS[form] for form in forms if form in FORMS}
    if not known and forms:
        return (ClipboardKind.OTHER,)
    return tuple(kind for kind in ClipboardKind if kind in known)


@dataclass(slots=True, eq=False)
class Offer:
    """The clipboard got another owner. What it offers is noted here as it becomes known.

    Attributes:
        window: The number of the recorded window in front, if the owner is of its process; 0 if not.
        kinds: None as long as nothing is known, or if it is a secret: then nothing is told.
        done: Nothing more will be known.
    """

    at: Clocks
    window: int = 0
    kinds: tuple[ClipboardKind, ...] | None = None
    size: SizeBucket = SizeBucket.UNKNOWN
    done: bool = False


@dataclass(frozen=True, slots=True)
class Where:
    """The recorded surface and its window."""

    surface: SurfaceId
    window: int


class Clips:
    """Tells the account about each copy, cut and paste in a recorded window."""

    def __init__(self, account: Account, generation: int) -> None:
        self._account, self._generation = account, generation
        self._cut: tuple[int, int] | None = None
        self._present: Offer | None = None
        self._open: list[tuple[Offer, ClipboardAct, Where]] = []

    def due_ms(self) -> int | None:
        """When `settle` has something to do at the latest, on the awake clock; None if nothing is open."""
        return min((offer.at.awake_ms + ANSWER_MS for offer, _, _ in self._open), default=None)

    def settle(self, now_ms: int) -> None:
        """Tells what is known by now, and forgets what was waited for long enough."""
        for one in [one for one in self._open if one[0].done or now_ms >= one[0].at.awake_ms + ANSWER_MS]:
            self._open.remove(one)
            offer, act, place = one
            if offer.kinds is not None:
                self._tell(act, offer.at, place, offer)

    def key(self, key: Key, place: Place) -> None:
        """A key that may be kept: its window is a recorded one, and its field's role is known and safe."""
        if not key.down or key.repeat:
            return
        if _pastes(key.stroke):
            present = self._present
            if present is None or present.kinds is None:
                present = Offer(key.at, kinds=())
            self._tell(ClipboardAct.PASTE, key.at, Where(place.surface, place.window), present)
        elif _copies(key.stroke):
            self._cut = None
        elif _cuts(key.stroke):
            self._cut_by(key.at.awake_ms, place.window)

    def offered(self, offer: Offer, context: Context) -> None:
        """The clipboard got another owner, and it is known what was in front then: `context`."""
        front, role = context.front, context.role
        cut, self._cut = self._cut, None
        recorded = offer.window != 0 and offer.window == front.window and not front.structure_only
        self._present = offer if recorded and role is not NoRole.SECURE else None
        if self._present is None or front.surface is None:
            return
        is_cut = cut is not None and cut[1] == front.window and _is_just_before(cut[0], offer)
        self._open.append((offer, ClipboardAct.CUT if is_cut else ClipboardAct.COPY, Where(front.surface, front.window)))

    def _cut_by(self, at_ms: int, window: int) -> None:
        """A cut was pressed. What it did may have been heard of before: the two come by different ways."""
        self._cut = (at_ms, window)
        for number, (offer, _, where) in enumerate(self._open):
            if where.window == window and _is_just_before(at_ms, offer):
                self._open[number], self._cut = (offer, ClipboardAct.CUT, where), None

    def _tell(self, act: ClipboardAct, at: Clocks, where: Where, offer: Offer) -> None:
        payload = Clipboard(act, offer.kinds or (), offer.size)
        self._account.keep(Event(where.surface, where.window, at, self._generation, 0, payload))


def _is_just_before(at_ms: int, offer: Offer) -> bool:
    return 0 <= offer.at.awake_ms - at_ms <= CUT_MS


def _is_chord(stroke: Stroke, trigger: str) -> bool:
    return stroke.sort is Sort.CHORD and stroke.modifiers == (Modifier.CTRL,) and stroke.trigger == trigger


def _is_shifted(stroke: Stroke, named: NamedKey) -> bool:
    return stroke.sort is Sort.NAMED and stroke.named is named and stroke.shift


def _pastes(stroke: Stroke) -> bool:
    return _is_chord(stroke, "v") or _is_shifted(stroke, NamedKey.INSERT)


def _copies(stroke: Stroke) -> bool:
    return _is_chord(stroke, "c") or _is_chord(stroke, NamedKey.INSERT.value)


def _cuts(stroke: Stroke) -> bool:
    return _is_chord(stroke, "x") or _is_shifted(stroke, NamedKey.DELETE)
