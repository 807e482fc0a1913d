"""What an error is to a person: one line that says what is wrong and what to do, and the word for it in `status`.

Of an error that nobody foresaw it shows kind and place only: the message could hold something that was observed.
"""

import traceback
from dataclasses import dataclass
from pathlib import PurePath

from agent.errors import AgentError, StateUnsafe, Usage
from agent.settings import SettingsWrong
from agent.status import Trouble
from consent.ledger import LedgerError, LedgerUnwritable
from consent.register import RegisterError
from transport.errors import TransportError
from transport.keystore import KeystoreError

NOTHING_DONE = "nothing was done; say it again when you want it"
USAGE, FAILED = 2, 1
"""Exit codes: the command was not understood, or could not be done."""

_BEGIN_ANEW = "to destroy everything and begin anew: volens consent withdraw"
_MAKE_ROOM = "make room on the disk; nothing is recorded until then"


@dataclass(frozen=True, slots=True)
class Fault:
    """An error, for a person.

    Attributes:
        why: Its word in `status`.
        what: What is wrong.
        do: What to do about it.
        code: The exit code of a command that ends with it.
    """

    why: Trouble
    what: str
    do: str
    code: int = FAILED

    @property
    def line(self) -> str:
        """The one line that is shown."""
        return f"{self.what}; {self.do}"


def of(error: Exception) -> Fault:
    """What to say about an error."""
    match error:
        case StateUnsafe() | SettingsWrong() | AgentError():
            return Fault(_word(error), error.what, error.do, USAGE if isinstance(error, Usage) else FAILED)
        case LedgerError():
            return Fault(Trouble.STATE_BROKEN, str(error), _MAKE_ROOM if isinstance(error, LedgerUnwritable) else _BEGIN_ANEW)
        case RegisterError():
            return Fault(Trouble.STATE_BROKEN, str(error), "install volens again")
        case TransportError():  # some say already what to do
            what, _, do = str(error).partition("; ")
            return Fault(_word(error), what, do or _BEGIN_ANEW)
        case OSError():
            place = f"{error.filename}: " if isinstance(error.filename, str) else ""
            return Fault(Trouble.STATE_BROKEN, f"{place}{error.strerror or type(error).__name__}", "look at the disk and at who owns this")
    return _unforeseen(error)


def _word(error: Exception) -> Trouble:
    match error:
        case StateUnsafe():
            return Trouble.STATE_UNSAFE
        case SettingsWrong():
            return Trouble.SETTINGS_WRONG
        case KeystoreError():
            return Trouble.KEYS_UNREACHABLE
    return Trouble.STATE_BROKEN


def _unforeseen(error: Exception) -> Fault:
    """Usage errors of the command line's library have a message of their own; of any other only kind and place are shown."""
    if hasattr(error, "format_message"):
        said = " ".join(str(error.format_message()).split())
        what, _, meant = said.partition(" Did you mean ")
        hint = f"did you mean {meant} see: volens --help" if meant else "see: volens --help"
        return Fault(Trouble.STATE_BROKEN, what[:1].lower() + what[1:].rstrip("."), hint, USAGE)
    place = traceback.extract_tb(error.__traceback__)[-1:]
    where = f" in {PurePath(place[0].filename).name}:{place[0].lineno}" if place else ""
    return Fault(Trouble.STATE_BROKEN, f"{type(error).__name__}{where}, which is our fault", "report this line")
