"""volens-custody: keygen, purpose create, open. Refuses with one line: what is wrong; what to do. Never shows a key or an event."""

import secrets
import sys
import traceback
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from custody.clock import now
from custody.errors import CustodyError
from custody.keys import read_public, write_key_pair, write_purpose
from custody.open import Outcome, Wish, open_batches
from custody.quorum import split
from transport.errors import TransportError
from transport.process import close_to_others
from transport.xwing import SEED_BYTES, ReadingKey

INTERRUPTED = 130

app = typer.Typer(
    name="volens-custody",
    help="Hold a purpose's key, k of n together, and open what it allows.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
purposes = typer.Typer(help="A purpose and its key.")
app.add_typer(purposes, name="purpose")


@app.command()
def keygen(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Your name: a-z, 0-9, - and _.")],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Folder for NAME.key, which you keep, and NAME.pub, which you hand on.")],
) -> None:
    """Make a custodian's key pair, on the custodian's own machine."""
    close_to_others()
    seed = secrets.token_bytes(SEED_BYTES)
    private, public = write_key_pair(out, name, seed)
    typer.echo(f"{private}: keep it; nobody can make it again")
    typer.echo(f"{public}: hand it on; its id is {ReadingKey.from_seed(seed).public.key_id.hex()}")


@purposes.command()
def create(
    purpose: Annotated[str, typer.Argument(metavar="PURPOSE", help="The purpose's name, as in the policy.")],
    quorum: Annotated[int, typer.Option(metavar="NUMBER", help="How many custodians it takes together.")],
    custodian: Annotated[list[Path], typer.Option(metavar="FILE", help="A custodian's NAME.pub; once for each custodian.")],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Folder for purpose.json, which holds nothing secret.")],
) -> None:
    """Make a purpose's key, split it among custodians, and forget it."""
    close_to_others()
    custodians = [read_public(path) for path in custodian]
    seed = secrets.token_bytes(SEED_BYTES)
    key = split(seed, purpose=purpose, quorum=quorum, custodians=custodians, random_bytes=secrets.token_bytes)
    del seed
    path = write_purpose(out, key)
    typer.echo(f"{path}: {quorum} of {len(custodians)} open what is sealed for {purpose}")
    typer.echo(f"its key's id is {key.public.key_id.hex()}; compare it with the policy's")


@app.command(name="open")
def open_(  # noqa: PLR0913 - one for each option
    *,
    purpose: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Folder with purpose.json; asked for if not given.")] = None,
    key: Annotated[list[Path], typer.Option(metavar="FILE", help="A custodian's NAME.key; once for each custodian who is there.")],
    from_: Annotated[str, typer.Option("--from", metavar="PLACE", help="A receiver's address, or a folder with ID.envelope files.")],
    reason: Annotated[
        str | None, typer.Option(metavar="TEXT", help="What for; everybody can read it in the log. Asked for if not given.")
    ] = None,
    batch: Annotated[list[str] | None, typer.Option(metavar="ID", help="A batch's id; once for each. None: all of the purpose.")] = None,
    steps: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Folder for steps.jsonl.")] = None,
    out: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Folder for events.jsonl.")] = None,
) -> None:
    """Open batches of a purpose. Its key is rebuilt once, after the access is recorded."""
    close_to_others()
    purpose = purpose or Path(_asked("--purpose", "Which purpose is to be opened? The folder with its purpose.json"))
    reason = reason if reason is not None else _asked("--reason", "What for? Everybody whose data it is can read this")
    wish = Wish(purpose, tuple(key), from_, tuple(batch or ()), reason, steps, out)
    typer.echo(_summary(open_batches(wish, now())))


def _asked(option: str, question: str) -> str:
    """What a custodian types; without a terminal there is nobody to ask."""
    if not sys.stdin.isatty():
        raise typer.BadParameter("it is not given, and without a terminal it cannot be asked for", param_hint=option)
    return str(typer.prompt(question, err=True))


def main() -> None:
    """The process boundary: every error becomes one line on stderr, exit 1, or 2 for usage."""
    try:
        code = app(prog_name="volens-custody", standalone_mode=False)
    except (CustodyError, TransportError) as error:
        _leave(str(error), 1)
    except typer.Abort:
        code = INTERRUPTED
    except Exception as error:
        _leave(*_unforeseen(error))
    if code == INTERRUPTED:
        _leave("interrupted; what was not written by now will not be", INTERRUPTED)


def _unforeseen(error: Exception) -> tuple[str, int]:
    """Usage errors (of typer, or of click under an older typer) have a message of their own. Of any other error only kind and
    place are shown: its message could hold what was opened."""
    if hasattr(error, "format_message"):
        said = " ".join(str(error.format_message()).split()).rstrip(".")
        return f"{said[:1].lower()}{said[1:]}; see: volens-custody --help", 2
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(place.filename).name}:{place.lineno}, which is our fault; report this line", 1


def _leave(message: str, code: int) -> NoReturn:
    print(f"volens-custody: {message}", file=sys.stderr)
    sys.exit(code)


def _summary(outcome: Outcome) -> str:
    repeats = f", {outcome.repeats} of them repeats" if outcome.repeats else ""
    erased = f", {outcome.erased} erased by their subjects" if outcome.erased else ""
    record = (
        f"recorded as {outcome.record} in the receiver's log" if outcome.record is not None else "on no log: the batches came from a folder"
    )
    files = "".join(f"\n{path}" for path in outcome.files)
    return f"{outcome.batches} batches opened{repeats}{erased}, {outcome.events} events; {record}{files}"


if __name__ == "__main__":
    main()
