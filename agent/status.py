"""What `volens status --json` prints: one object, the same for CLI, tray and pages. Its JSON Schema is in docs/.

Exit codes are part of the contract: 0 collecting, 3 paused, 4 no consent or withdrawn, 5 exempt, 6 blocked, 7 daemon not running.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

import msgspec

from agent.budget import Cause, Level
from consent.vocabulary import Automatic, Kind, State

SCHEMA = 1

EXIT_CODES: dict[State, int] = {
    State.CONSENTED: 0,
    State.PAUSED: 3,
    State.UNASKED: 4,
    State.WITHDRAWN: 4,
    State.EXEMPT: 5,
    State.BLOCKED: 6,
}
EXIT_NOT_RUNNING = 7


class Trouble(StrEnum):
    """Further words of `why`: of a command that finds no daemon, or a state that it cannot believe."""

    NOT_RUNNING = "not_running"
    STATE_UNSAFE = "state_unsafe"
    STATE_BROKEN = "state_broken"
    SETTINGS_WRONG = "settings_wrong"
    KEYS_UNREACHABLE = "keys_unreachable"


TROUBLE_WORDS: Mapping[Trouble, str] = MappingProxyType(
    {
        Trouble.NOT_RUNNING: "no daemon answers; this was read from disk",
        Trouble.STATE_UNSAFE: "others can reach the agent's files, or own them",
        Trouble.STATE_BROKEN: "the ledger, or another of the agent's files, cannot be read or does not hold",
        Trouble.SETTINGS_WRONG: "agent.toml is not what it should be",
        Trouble.KEYS_UNREACHABLE: "the keystore does not answer, or holds no key where one should be",
    }
)


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the status; closed like the whole."""


class IndicatorPart(Part, frozen=True):
    live: bool
    form: str | None  # tray, badge


class PolicyPart(Part, frozen=True):
    version: int | None
    expires: str | None  # ISO 8601, UTC
    waits: int = 0  # how many things it asks for beyond the yes that is in force; all of them are off
    why: str | None = None  # why there is none in force: one line for people


class ReceiptPart(Part, frozen=True):
    id: str | None


class PausePart(Part, frozen=True):
    remaining_s: int | None  # awake seconds; None: not paused, or until resumed
    until_resumed: bool


class ExemptionPart(Part, frozen=True):
    """An exemption. One that nobody needs to ask for has its ground as id, and the state `automatic`; others have a Stage's."""

    id: str
    ground: str
    state: str


class CollectorPart(Part, frozen=True):
    kind: Kind
    state: str  # live, degraded, dead, off
    why: str


class HoldPart(Part, frozen=True):
    events: int
    bytes: int
    oldest_s: int | None
    time_s: int | None  # how long what is recorded now is held; None: not known
    damaged: int  # segments and envelopes that do not read; set aside, never sent
    locks: tuple[str, ...]  # what tells a locked screen from an unlocked one; empty: nothing, and it counts as unlocked


class OutboxPart(Part, frozen=True):
    envelopes: int
    bytes: int
    waits: str | None = None  # why what is due to leave stays held: one line for people; None if nothing keeps it, or nobody knows


class SentPart(Part, frozen=True):
    batches: int
    bytes: int


class TallyPart(Part, frozen=True):
    """Raw inputs. seen = sum(refused) + pending + held + forgotten + sealed + sent, at every instant."""

    seen: int
    refused: dict[str, int]
    pending: int
    held: int
    forgotten: int
    sealed: int
    sent: int


class BudgetPart(Part, frozen=True):
    """What recording may cost, and what is left of it.

    Attributes:
        bytes_today: Of envelopes whose upload was begun today (UTC); `bytes_limit`: the most of a day.
        bytes_month: The same of the month; `month_limit`: the most of a month.
        level: What the budget leaves: full, less (the costly kinds are off), hold_only (besides, nothing is sent), nothing.
        why: The causes; empty for full, and where no state could be read.
        words: One line for people; empty where `words` of the whole says it, or there is nothing to say.
        cpu_percent: Of one core, what all our processes took in the last minutes; None: not measured.
    """

    bytes_today: int
    bytes_limit: int | None
    bytes_month: int = 0
    month_limit: int | None = None
    level: Level = Level.FULL
    why: tuple[Cause, ...] = ()
    words: str = ""
    cpu_percent: float | None = None


class Status(Part, frozen=True):
    """What holds now.

    Attributes:
        standing: The subject's standing.
        collecting: True only if hooks are live and the gate is open.
        why: Reasons for not collecting, as words of `consent.vocabulary.Blocker`, State, Automatic, Trouble or an exemption's Ground.
        words: One line for people.
        keystore: Where the hold key is: keyring or file.
        running: False when this was computed from disk because no daemon answers.
        trial: True for a local trial with throw-away keys.
        untold: Automatic exemptions of which nothing on this computer can tell, so that they never begin.
    """

    schema: int
    standing: State
    collecting: bool
    why: tuple[str, ...]
    words: str
    since: str | None  # ISO 8601, UTC; None before the first choice
    running: bool
    trial: bool
    indicator: IndicatorPart
    policy: PolicyPart
    receipt: ReceiptPart
    pause: PausePart
    exemptions: tuple[ExemptionPart, ...]
    collectors: tuple[CollectorPart, ...]
    hold: HoldPart
    outbox: OutboxPart
    sent: SentPart
    tally: TallyPart
    budget: BudgetPart
    keystore: str
    untold: tuple[Automatic, ...] = ()


def exit_code(status: Status) -> int:
    """What `volens status` ends with."""
    return EXIT_CODES[status.standing] if status.running else EXIT_NOT_RUNNING


def as_json(status: Status) -> bytes:
    """One object, as `volens status --json` prints it."""
    return msgspec.json.encode(status)
