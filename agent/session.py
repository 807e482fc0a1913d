"""Whose session this is: a person records their own session, and says yes in it themselves. Reads only.

Root is nobody; and who came into another account's session by su, sudo or a left-over environment would record somebody who was not
asked, under a yes of their own.
"""

import os
from collections.abc import Mapping
from pathlib import Path

SESSIONS = Path("/run/systemd/sessions")
_CAME_FROM = ("SUDO_UID", "PKEXEC_UID")
_ROOT_UID = 0


def foreign(uid: int, env: Mapping[str, str], sessions: Path = SESSIONS) -> str | None:
    """Why this account may not record here, in words behind "Blocked:"; None if the session is its own, as far as the system tells."""
    if uid == _ROOT_UID:
        return "root is nobody's account"
    if any(env.get(name, str(uid)) != str(uid) for name in _CAME_FROM):
        return "another account has started this"
    owners = (_owner_of(env.get("XDG_RUNTIME_DIR", "")), _session_owner(env.get("XDG_SESSION_ID", ""), sessions))
    return "the session belongs to another account" if any(owner not in (None, uid) for owner in owners) else None


def _owner_of(folder: str) -> int | None:
    try:
        return os.stat(folder).st_uid if folder else None
    except OSError:
        return None


def _session_owner(session: str, sessions: Path) -> int | None:
    """The account of a session of logind, as its own file says; None if there is none."""
    if not session or "/" in session or session.startswith("."):
        return None
    try:
        lines = (sessions / session).read_text("utf-8").splitlines()
    except (OSError, ValueError):
        return None
    return next((int(value) for name, _, value in (line.partition("=") for line in lines) if name == "UID" and value.isdigit()), None)
