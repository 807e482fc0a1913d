"""Where the agent keeps what it keeps: one private folder for state, one for the running session. Everything 0600 under 0700.

A folder or file of another owner, or one that others may read or write, is refused: what was said no to could have been
changed, and what is held could have been read.
"""

import contextlib
import os
import warnings
from dataclasses import dataclass
from pathlib import Path

from platformdirs import PlatformDirs

from agent.errors import StateUnsafe
from consent.ledger import TAIL, move_aside
from transport import disk

_DIRS = PlatformDirs("volens", appauthor=False)


@dataclass(frozen=True, slots=True)
class Places:
    """The paths of one person's agent on one machine.

    Attributes:
        state: Private folder of what outlives the session.
        runtime: Private folder of the session: socket and lock.
    """

    state: Path
    runtime: Path

    @property
    def settings(self) -> Path:
        return self.state / "agent.toml"

    @property
    def ledger(self) -> Path:
        return self.state / "ledger"

    @property
    def ledger_tail(self) -> Path:
        """How far the ledger reaches at least."""
        return self.ledger.with_suffix(TAIL)

    @property
    def keys(self) -> Path:
        return self.state / "keys"

    @property
    def hold(self) -> Path:
        return self.state / "hold"

    @property
    def outbox(self) -> Path:
        return self.state / "outbox"

    @property
    def erasures(self) -> Path:
        return self.state / "erasures"

    @property
    def enrolment(self) -> Path:
        """Which device this machine is to which receiver."""
        return self.state / "enrolment"

    @property
    def registrations(self) -> Path:
        return self.state / "registrations"

    @property
    def exemptions(self) -> Path:
        """Requests on their way to a reviewer."""
        return self.state / "exemptions"

    @property
    def policy(self) -> Path:
        return self.state / "policy"

    @property
    def pinned_root(self) -> Path:
        """The root of trust that came with the settings."""
        return self.policy / "pinned.root.json"

    @property
    def floors(self) -> Path:
        """Numbers that may only rise."""
        return self.state / "floors.json"

    @property
    def closed(self) -> Path:
        """A pause that the ledger could not take."""
        return self.state / "closed"

    @property
    def unsaid(self) -> Path:
        """Lines that the ledger could not take."""
        return self.state / "unsaid.json"

    @property
    def seen(self) -> Path:
        """When somebody could have looked."""
        return self.state / "seen.json"

    @property
    def spent(self) -> Path:
        """Bytes that were sent today."""
        return self.state / "spent.json"

    @property
    def anchor(self) -> Path:
        """The first look at the clocks since the machine was started."""
        return self.state / "anchor.json"

    @property
    def tally(self) -> Path:
        return self.state / "tally.json"

    @property
    def access_seen(self) -> Path:
        """How far the receiver's access log was read from here."""
        return self.state / "access-seen.json"

    @property
    def lock(self) -> Path:
        return self.state / "lock"

    @property
    def socket(self) -> Path:
        return self.runtime / "control"

    def prepare(self) -> None:
        """Make the folders that are missing; raise StateUnsafe for what is there and is not private."""
        for folder in (self.state, self.runtime, self.keys, self.policy):
            with contextlib.suppress(FileExistsError, NotADirectoryError):  # `check` says it better
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.check()

    def set_ledger_aside(self, wall_ms: int) -> None:
        """Give a broken ledger another name, so that a new one can begin."""
        with contextlib.suppress(FileNotFoundError):
            os.replace(self.ledger, self.state / f"ledger.broken-{wall_ms}")
        # after it: a ledger that lacks its end must not hold for an instant
        if self.ledger_tail.is_dir() and not self.ledger_tail.is_symlink():
            move_aside(self.ledger_tail)
        self.ledger_tail.unlink(missing_ok=True)

    def tighten(self) -> None:
        """Take from others what they may reach of ours, before a no is carried out; what is not ours is left to `check`."""
        for path in (self.state, self.runtime, *self.state.rglob("*")):
            with contextlib.suppress(OSError):
                if not path.is_symlink() and path.stat().st_uid == os.geteuid():
                    path.chmod(0o700 if path.is_dir() else 0o600)

    def check(self) -> None:
        """Raise StateUnsafe if anything that exists is a link, of another owner, or open to others."""
        for path in (
            self.state,
            self.runtime,
            self.keys,
            self.hold,
            self.outbox,
            self.erasures,
            self.registrations,
            self.exemptions,
            self.policy,
        ):
            _private(path, folder=True)
        small = (
            self.ledger_tail,
            self.tally,
            self.floors,
            self.closed,
            self.unsaid,
            self.seen,
            self.spent,
            self.anchor,
            self.enrolment,
            self.access_seen,
        )
        for path in (self.ledger, self.settings, *small, self.lock, *self.keys.glob("*")):
            _private(path, folder=False)


def of_this_person() -> Places:
    """The places of whoever runs this process, by the platform's own conventions (XDG on Linux)."""
    with warnings.catch_warnings():  # without a session's runtime folder a private one below /tmp is right, and no news to anybody
        warnings.simplefilter("ignore")
        return Places(_DIRS.user_state_path, _DIRS.user_runtime_path)


def _private(path: Path, *, folder: bool) -> None:
    try:
        disk.check_private(path, folder=folder)
    except FileNotFoundError:
        return
    except disk.NotPrivate as error:
        raise StateUnsafe(error.what, error.do) from None
