"""The notice: what a person reads before they say yes or no. Printed from the policy and the register; nothing is added. Pure."""

import hashlib
from collections.abc import Mapping

from consent.policy import Policy
from consent.register import Entry
from consent.vocabulary import Kind

_FOREWORD = """\
{controller} asks whether it may learn from how you work on this computer. You may say no; nothing will happen then, and
nobody is told. You may say yes and take it back at any time, without a reason: volens consent withdraw, or Stop in the icon's menu.
"""

_NEVER = """\
Never, whatever anybody sets: what you type, passwords, titles, addresses, documents, clipboard contents, microphone,
camera, location, and any window that is not on the list above.
"""

_HOW = """\
How you stay in control
- The icon shows at all times whether the window in front is being recorded. Without a visible icon nothing is recorded.
- Pause: volens pause, or the icon's menu. It ends only when you resume.
- Everything stays on this computer for at least {hold} before it may leave; see it with: volens show
- Take back the last minutes: volens forget --last 10m. Take back everything: volens consent withdraw
"""


def _hours(seconds: int) -> str:
    return f"{seconds // 3600} hours" if seconds >= 7200 else f"{seconds // 60} minutes"


def _purposes(policy: Policy) -> list[str]:
    lines = ["What for, who can open it, and for how long it is kept"]
    for purpose in policy.purposes.values():
        lines.append(f"- {purpose.title} ({purpose.id}): opened by {purpose.readers} together; kept at most {purpose.retention_days} days")
    return [*lines, f"- The receiver {policy.receiver} stores it sealed and cannot read it.", ""]


def _surfaces(policy: Policy) -> list[str]:
    lines = ["Where: only in these windows"]
    for surface in policy.surfaces.values():
        limit = " (no keys of any kind)" if surface.structure_only else ""
        lines.append(f"- {surface.name}: {', '.join(sorted(surface.kinds))}{limit}")
    return [*lines, ""]


def _kinds(kinds: Mapping[Kind, Entry]) -> list[str]:
    lines = ["What each of these is"]
    for kind, entry in kinds.items():
        lines += [f"- {kind}: {entry.what}", f"    never: {entry.never}"]
    return [*lines, ""]


def text(policy: Policy, kinds: Mapping[Kind, Entry], hold_s: int) -> str:
    """The notice, in plain text of at most 140 columns."""
    head = _FOREWORD.format(controller=policy.controller).splitlines()
    how = _HOW.format(hold=_hours(hold_s)).splitlines()
    lines = [*head, "", *_purposes(policy), *_surfaces(policy), *_NEVER.splitlines(), "", *_kinds(kinds), *how]
    return "\n".join(lines) + "\n"


def sha256(notice: str) -> str:
    """What the receipt pins: the hash of the exact text that was shown, hex."""
    return hashlib.sha256(notice.encode()).hexdigest()
