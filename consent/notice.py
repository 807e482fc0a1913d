"""The notice: what a person reads before they say yes or no. Printed from the policy and the register; nothing is added. Pure.

It fits the narrowest usual terminal: a text that breaks in the middle of words is not read. The receipt pins it to the letter.
"""

import hashlib
import textwrap
from collections.abc import Iterator, Mapping

from consent.frames import MAX_NOTICE_BYTES
from consent.holding import DEFAULT_HOLD_S
from consent.policy import Policy, PolicyError, SurfaceTerms
from consent.register import Entry
from consent.vocabulary import Kind

COLUMNS = 80
"""Only a word that is longer by itself (a receiver's address) goes beyond."""

_FOREWORD = (
    "{controller} asks whether it may learn from how you work on this computer. You may say no; nothing will happen then, and "
    "nobody is told. You may say yes and take it back at any time, without a reason: by Stop in the icon's menu, or with\n"
    "volens consent withdraw"
)

_NEVER = (
    "Never recorded, whatever anybody sets: what you type, passwords, titles, addresses, documents, clipboard contents, microphone, "
    "camera, location, and any window that is not on the list above."
)
_ADDRESS = (
    " In the browsers of the sites on the list the address of the page in front is read, to compare its host with the list, and is kept "
    "no longer than that."
)

_HOW = (
    "The icon shows at all times whether the window in front is being recorded. Without a visible icon nothing is recorded.",
    "Pause: volens pause, or the icon's menu. It ends only when you resume.",
    "Outside the hours of your yes nothing is recorded: Monday to Friday, 9 to 17, unless you name others with it (volens consent give "
    "--hours). Fewer at any time: volens hours",
    "Nothing is recorded while the screen is locked or shared, nobody is there, another session is in front, the computer is controlled "
    "from elsewhere, the link is metered or the battery low: as far as the desktop tells. volens doctor says what it cannot tell.",
    "Everything stays on this computer for at least {hold} before it may leave, unless you choose otherwise (volens hold, volens send). "
    "See it with: volens show",
    "Take back the last minutes: volens forget --last 10m",
    "Take back everything, for good: volens consent withdraw",
)

_DAILY = "On each day you are shown this notice again. Until you have said on that day that you read it, nothing is recorded."
LANGUAGE = "en"
"""Of the notice, as BCP 47 names it; there is no other yet."""


def _hours(seconds: int) -> str:
    return f"{seconds // 3600} hours" if seconds >= 7200 else f"{seconds // 60} minutes"


def _wrap(words: str, first: str = "", later: str = "") -> list[str]:
    return textwrap.wrap(
        words, COLUMNS, initial_indent=first, subsequent_indent=later, break_long_words=False, break_on_hyphens=False, tabsize=1
    )


def _item(words: str) -> list[str]:
    return _wrap(words, "- ", "  ")


def _purposes(policy: Policy) -> Iterator[str]:
    yield "What for, who can open it, and for how long it is kept"
    for purpose in policy.purposes.values():
        kept = f"kept at most {purpose.retention_days} days"
        yield from _item(f"{purpose.title} ({purpose.id}): opened by {purpose.readers} together, and by no fewer; {kept}")
    yield from _item("You yourself open all that was sent of you, with the recovery code that you get once, with your yes.")
    yield from _item(
        f"Nobody else can: not {policy.controller}, nor whoever runs the receiver {policy.receiver}, which stores it sealed. "
        "Before it hands anything to custodians they write down there what for, for everybody to read."
    )


def labels(surface: SurfaceTerms) -> str:
    """The labels that may stay readable in a surface besides those of its own program: to be said behind what is asked for there."""
    return f"; of its labels also: {', '.join(surface.words)}" if surface.words else ""


def _surfaces(policy: Policy) -> Iterator[str]:
    yield "Where: only in these windows"
    for surface in policy.surfaces.values():
        limit = " (no keys of any kind)" if surface.structure_only else ""
        where = f", only at {', '.join(surface.hosts)}" if surface.hosts else ""
        yield from _item(f"{surface.name}{where}: {', '.join(sorted(surface.kinds))}{limit}{labels(surface)}")


def _kinds(kinds: Mapping[Kind, Entry]) -> Iterator[str]:
    yield "What each of these is"
    for kind, entry in kinds.items():
        yield from _item(f"{kind}: {entry.what}")
        yield from _wrap(f"never: {entry.never}", "    ", "    ")


def _exempt(policy: Policy) -> str:
    """At every moment, and before any yes, too."""
    first = "Be exempt, in some apps or everywhere: volens exempt request. It is off from then on, until you say otherwise"
    if policy.reviewer is None:
        return f"{first}."
    return (
        f"{first}. On other grounds than your own choice {policy.reviewer.name} decides, who alone can read your reason and is not told "
        "who you are; whatever they decide, nothing is switched on by it."
    )


def _how(policy: Policy, hold_s: int) -> Iterator[str]:
    yield "How you stay in control"
    for words in (*([_DAILY] if policy.daily_notice else []), *_HOW, _exempt(policy)):
        yield from _item(words.replace("{hold}", _hours(hold_s)))


def text(policy: Policy, kinds: Mapping[Kind, Entry], hold_s: int) -> str:
    """The notice, in plain text of 80 columns."""
    parts = (
        [line for part in _FOREWORD.replace("{controller}", policy.controller).splitlines() for line in _wrap(part)],
        _purposes(policy),
        _surfaces(policy),
        _wrap(_NEVER + (_ADDRESS if any(surface.hosts for surface in policy.surfaces.values()) else "")),
        _kinds(kinds),
        _how(policy, hold_s),
    )
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def check_fits(policy: Policy, register: Mapping[Kind, Entry]) -> None:
    """Raises PolicyError for a policy whose notice is longer than can be shown: nobody could be asked, or say that they read it.

    Args:
        register: Every entry; one that expires only makes the notice shorter.
    """
    asked = {kind: entry for kind, entry in register.items() if kind in policy.scope().kinds()}
    length = len(text(policy, asked, max(DEFAULT_HOLD_S, policy.hold_min_s)).encode())
    if length > MAX_NOTICE_BYTES:
        what = f"the policy's notice would have {length} bytes, and {MAX_NOTICE_BYTES} can be shown"
        raise PolicyError(f"{what}: it must list fewer surfaces, hosts or words")


def sha256(notice: str) -> str:
    """What the receipt pins: the hash of the exact text that was shown, hex."""
    return hashlib.sha256(notice.encode()).hexdigest()
