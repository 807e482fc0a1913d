"""`volens doctor`: what is in order here and what is not, one line each, with what to do. Changes no choice, and asks no network.

CHECKS is the one list of what is looked at: a function that takes the Ground and yields Checks. What a desktop cannot tell is a check
like any other: it says so. `--verify` reads the ledger, this machine's or any file, and names the first line that is wrong.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from agent import budget, settings, show
from agent.errors import CannotDo, StateUnsafe, Usage
from agent.permission import BLOCKER_WORDS
from agent.places import Places, of_this_person
from agent.presence.grounds import unknowns
from agent.reach import Reach
from agent.retrying import OF_THE_OBSERVER
from agent.status import CollectorPart, Status
from agent.words import counted
from consent.ledger import Inspected, LedgerError, inspect
from consent.vocabulary import KEY_KINDS, Blocker, Kind, State

_START = "start it with: volens run"
_OF_THE_POLICY = (Blocker.POLICY_MISSING, Blocker.POLICY_REFUSED, Blocker.POLICY_EXPIRED)

_OF_THE_TREE = KEY_KINDS | {Kind.ELEMENT}
"""The kinds for which the accessibility tree is asked."""
_WINDOW_MANAGER = "no window manager"
"""How a collector says that nothing tells which window is in front."""
_TREE_DO = "it is looked for again by itself; if that does not help, switch accessibility on, or log in anew"


class Level(StrEnum):
    """How it stands."""

    OK = "ok"
    WARN = "warn"  # nothing is broken, and something is not known or not as good as it could be
    BAD = "bad"  # something does not work, or must not be believed


class Check(msgspec.Struct, frozen=True):
    """One thing that was looked at: what it is, how it stands, and what to do about it (empty: nothing)."""

    name: str
    level: Level
    words: str
    do: str = ""


@dataclass(frozen=True, slots=True)
class Ground:
    """What there is to look at.

    Attributes:
        ledger: This machine's ledger, read before anything opened it; the error if it does not hold; None if there is none.
        env: The environment of the session.
    """

    places: Places
    ledger: Inspected | LedgerError | None
    status: Status
    env: Mapping[str, str]


def _state(ground: Ground) -> Iterator[Check]:
    try:
        ground.places.check()
    except StateUnsafe as unsafe:
        yield Check("state", Level.BAD, unsafe.what, unsafe.do)
        return
    yield Check("state", Level.OK, "everything that is kept is yours alone (0600 under 0700)")


def _ledger(ground: Ground) -> Iterator[Check]:
    match ground.ledger:
        case None:
            yield Check("ledger", Level.OK, "nothing is written yet")
        case LedgerError() as error:
            yield Check("ledger", Level.BAD, str(error), "keep a copy of it; to destroy everything and begin anew: volens consent withdraw")
        case Inspected() as found:
            yield Check("ledger", Level.OK, _holds(found))
    for path in sorted(ground.places.state.glob("ledger.broken-*")):
        yield Check("ledger", Level.WARN, f"an older one was broken, and set aside: {path.name}", f"volens doctor --verify {path}")
    if ground.ledger is not None and not ground.places.ledger.with_suffix(".reserve").exists():
        yield Check("reserve", Level.WARN, "no room is reserved for a no on a full disk", "make room; the next start takes it")


def _keys(ground: Ground) -> Iterator[Check]:
    match ground.status.keystore:
        case "keyring":
            yield Check("keys", Level.OK, "the hold's key is in the keyring of this desktop")
        case "file":
            yield Check("keys", Level.WARN, "the hold's key is in a file (0600), because no keyring answers", "unlock or install a keyring")
        case _:
            yield Check("keys", Level.BAD, "the keystore could not be opened", "see: volens status")


def _settings(ground: Ground) -> Iterator[Check]:
    try:
        found = settings.read(ground.places.settings)
    except settings.SettingsWrong as wrong:
        yield Check("settings", Level.BAD, wrong.what, wrong.do)
        return
    if found.receiver is None:
        yield Check("receiver", Level.WARN, "none is configured, so there is no policy and nothing to record for", "write agent.toml")
        return
    enrolled = "enrolled" if ground.places.enrolment.exists() else "not enrolled"
    waits = f"; what is due stays here: {ground.status.outbox.waits}" if ground.status.outbox.waits else ""
    yield Check("receiver", Level.OK, f"{found.receiver}, {enrolled}; not asked now, doctor uses no network{waits}")
    often = "on each day, as this machine asks" if found.daily_notice else "as often as the policy says"
    yield Check("notice", Level.OK, f"due {often}")


def _policy(ground: Ground) -> Iterator[Check]:
    status = ground.status
    if not status.running:
        yield Check("daemon", Level.WARN, "not running: nothing is recorded, and the policy is not looked at", _START)
        return
    yield Check("daemon", Level.OK, status.words)
    if status.policy.version is not None:
        yield Check("policy", Level.OK, f"version {status.policy.version}, its lease ends {status.policy.expires}")
        return
    reasons = [BLOCKER_WORDS[blocker] for blocker in _OF_THE_POLICY if blocker in status.why] or ["none"]
    yield Check("policy", Level.WARN, "; ".join(reasons), "it is asked for again by itself; see: volens consent show")


def _indicator(ground: Ground) -> Iterator[Check]:
    if ground.status.running:
        live, form = ground.status.indicator.live, ground.status.indicator.form
        words = f"visible ({form})" if live else "not visible: nothing is recorded"
        yield Check("icon", Level.OK if live else Level.WARN, words, "" if live else "show it: volens tray")


def _display(ground: Ground) -> Iterator[Check]:
    if ground.env.get("WAYLAND_DISPLAY") or ground.env.get("XDG_SESSION_TYPE") == "wayland":
        yield Check("display", Level.WARN, "a Wayland session: input cannot be observed, by design", "to record, log in to an X11 session")
    elif ground.env.get("DISPLAY"):
        yield Check("display", Level.OK, f"X11 ({ground.env['DISPLAY']})")
    else:
        yield Check("display", Level.WARN, "there is none in this session: nothing can be observed", "run it in the desktop's own terminal")


def _observer(ground: Ground) -> Iterator[Check]:
    """Whether the observer fails, in the words of `status`; what comes next depends on why."""
    for blocker in (each for each in OF_THE_OBSERVER if each in ground.status.why):
        told = sorted({part.why for part in ground.status.collectors if part.state == "dead" and part.why})
        words, _, do = (told[0] if told else BLOCKER_WORDS[blocker]).rpartition("; ")
        yield Check("observer", Level.WARN, words or do, _after(blocker, do if words else ""))


def _after(blocker: Blocker, told: str) -> str:
    """What to do about an observer that does not run. `told`: what it said itself about it."""
    if blocker is Blocker.NOT_OBSERVABLE:
        return f"{told or 'log in to an X11 session where it can be'}; then: volens resume"
    if blocker is Blocker.DISPLAY_GONE:
        return told or "it is waited for, and observed again when it is back"
    return told or "try: volens resume"


def _ailing(ground: Ground) -> tuple[CollectorPart, ...]:
    """The collectors that do not work, or only in part, though the observer runs."""
    if OF_THE_OBSERVER.intersection(ground.status.why):
        return ()
    return tuple(part for part in ground.status.collectors if part.state in ("degraded", "dead"))


def _windows(ground: Ground) -> Iterator[Check]:
    """Whether anything says which window is in front: without it nothing that is made in one is kept."""
    for why in sorted({part.why for part in _ailing(ground) if _WINDOW_MANAGER in part.why}):
        yield Check("windows", Level.WARN, f"{why}: nothing is kept of any", "start one; it is noticed at once")


def _collectors(ground: Ground) -> Iterator[Check]:
    """What ails a collector that is no matter of windows or of the accessibility tree: XFIXES for the clipboard, above all."""
    for part in _ailing(ground):
        if _WINDOW_MANAGER not in part.why and part.kind not in _OF_THE_TREE:
            yield Check(part.kind.value, Level.WARN, f"{part.state}: {part.why or 'it does not say why'}", "the other kinds go on")


def _roles(ground: Ground) -> Iterator[Check]:
    """The accessibility tree, which says what is typed into and which item was chosen."""
    bus = Path(ground.env.get("XDG_RUNTIME_DIR", "/nowhere")) / "bus"
    of_the_tree = {part.kind for part in ground.status.collectors if part.kind in _OF_THE_TREE and part.state == "live"}
    ailing = [part for part in _ailing(ground) if part.kind in _OF_THE_TREE and _WINDOW_MANAGER not in part.why]
    if not ground.env.get("DBUS_SESSION_BUS_ADDRESS") and not bus.is_socket():
        yield Check("fields", Level.WARN, "no session bus: what is typed into is not known, so no key is kept", "log in to a desktop")
    elif ailing:
        kinds = ", ".join(part.kind for part in ailing)
        yield Check("fields", Level.WARN, f"{ailing[0].why or ailing[0].state}; it is needed for {kinds}", _TREE_DO)
    else:
        found = "answers" if of_the_tree else "is asked when something is recorded that needs it"
        yield Check("fields", Level.OK, f"the accessibility tree {found}")


def _lock(ground: Ground) -> Iterator[Check]:
    if not ground.status.running:
        return
    if told_by := ground.status.hold.locks:
        yield Check("lock", Level.OK, f"told by {', '.join(told_by)}")


def _budget(ground: Ground) -> Iterator[Check]:
    """What the budget leaves, and what Volens itself takes of the machine."""
    found = ground.status.budget
    if not ground.status.running or found.bytes_limit is None or found.month_limit is None:
        return
    used = (
        f"today {show.most_words(found.bytes_today, found.bytes_limit)}, this month {show.most_words(found.bytes_month, found.month_limit)}"
    )
    took = f", {found.cpu_percent} % of one core in the last minutes" if found.cpu_percent is not None else ""
    if found.level is budget.Level.FULL:
        yield Check("budget", Level.OK, f"{used}{took}")
    else:
        because = " and ".join(budget.CAUSE_WORDS[cause] for cause in found.why)
        recorded = ground.status.standing is State.CONSENTED or found.level is budget.Level.NOTHING
        left = f"{budget.LEVEL_WORDS[found.level]}, because " if recorded else ""
        yield Check("budget", Level.WARN, f"{left}{because}; {used}{took}", "it goes on by itself")


def _untold(ground: Ground) -> Iterator[Check]:
    """What the desktop cannot tell of the session, so that nothing exempts by itself because of it."""
    for words in unknowns(ground.status.untold) if ground.status.running else ():
        yield Check("session", Level.WARN, words.rstrip("."), "pause yourself when it matters: volens pause")


CHECKS: tuple[Callable[[Ground], Iterator[Check]], ...] = (
    _state,
    _ledger,
    _keys,
    _settings,
    _policy,
    _indicator,
    _display,
    _observer,
    _windows,
    _collectors,
    _roles,
    _lock,
    _budget,
    _untold,
)
"""Everything that is looked at, in the order in which it is said."""


def examine(places: Places, env: Mapping[str, str]) -> tuple[Check, ...]:
    """All checks. The ledger is read first, before anything opens it."""
    ledger = _inspected(places)
    ground = Ground(places, ledger, Reach(places).status(), env)
    return tuple(check for look in CHECKS for check in look(ground))


def _inspected(places: Places) -> Inspected | LedgerError | None:
    try:
        return verified(places.ledger, places.ledger_tail)
    except LedgerError as error:
        return error
    except OSError:
        return None


def verified(ledger: Path, tail: Path | None) -> Inspected:
    """A ledger that holds. `tail`: what says how far it reaches, read first; None: nothing does. Raises LedgerError, OSError."""
    reaches = tail.read_bytes() if tail is not None and tail.exists() else None
    if reaches is not None and not ledger.exists():
        return inspect(b"", reaches)
    return inspect(ledger.read_bytes(), reaches)


def doctor(
    file: Annotated[str | None, typer.Argument(metavar="FILE", help="With --verify: another ledger, such as one set aside.")] = None,
    verify: Annotated[bool, typer.Option("--verify", help="Verify the ledger, line by line.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what is in order here and what is not. Changes no choice, asks no network; --verify names the line of a ledger that is wrong."""
    places = of_this_person()
    if file is not None and not verify:
        raise Usage("a file is only looked at to verify it", f"try: volens doctor --verify {file}")
    if verify:
        show.say(_verify(Path(file), None) if file is not None else _verify(places.ledger, places.ledger_tail))
        return
    checks = examine(places, os.environ)
    if as_json:
        typer.echo(msgspec.json.encode(checks))
    else:
        show.checks((check.level.value, check.name, check.words, check.do) for check in checks)


def _verify(ledger: Path, tail: Path | None) -> str:
    try:
        return f"The ledger holds: {_holds(verified(ledger, tail))}."
    except LedgerError as error:
        raise CannotDo(str(error), f"keep a copy of {ledger}: nothing after that line can be relied on") from None
    except FileNotFoundError:
        raise CannotDo(f"{ledger} is not there", "name a ledger: volens doctor --verify FILE") from None
    except OSError as error:
        raise CannotDo(f"{ledger} cannot be read ({error.strerror})", "look at who owns it") from None


def _holds(found: Inspected) -> str:
    last = f", the last of {_minute(found.entries[-1].at.wall_ms)}" if found.entries else ""
    end = "" if found.whole or not found.entries else "; whether lines are missing behind it cannot be told"
    torn = f"; behind it {counted(found.torn_bytes, 'byte')} of a line that was never written whole" if found.torn_bytes else ""
    return f"{counted(len(found.entries), 'line')}{last}{end}{torn}"


def _minute(wall_ms: int) -> str:
    return datetime.fromtimestamp(wall_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
