"""Commands for the receipt of one's yes: print it, and verify a saved one. Verifying needs no daemon, no state and no network."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from agent import show
from agent.errors import CannotDo
from agent.places import Places, of_this_person
from agent.reach import Reach
from agent.record import ledger_public_key
from agent.words import counted
from consent.ledger import salvage
from consent.receipt import ReceiptError, SignedReceipt, commitment
from consent.standard import principal_id
from consent.unreadable import UNREADABLE
from consent.verifying import MAX_BYTES, Verified, kept_text, read, standard_text

_GET_ANOTHER = "print another: volens consent receipt"


class _Batch(msgspec.Struct):
    """What is read of a line of an export's batches.jsonl."""

    receipt_commitment: str


def receipt(
    standard: Annotated[bool, typer.Option("--standard", help="In the fields of ISO/IEC TS 27560, as JSON-LD.")] = False,
) -> None:
    """Print the receipt of your yes, signed, for you to keep."""
    kept = Reach(of_this_person()).receipt()
    if kept is None:
        raise CannotDo("there is no consent, so there is no receipt", "see: volens consent show")
    try:
        verified = read(f"{kept}\n".encode())
    except ReceiptError as error:
        if standard:
            raise CannotDo(f"the receipt does not hold: {error}", "as it is: volens consent receipt") from None
        typer.echo(kept)
        return
    typer.echo(standard_text(verified.receipt, verified.signed) if standard else kept_text(verified.signed), nl=False)


def verify(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A saved receipt.")],
    batches: Annotated[
        str | None, typer.Option("--batches", metavar="FILE", help="batches.jsonl of an export: which were recorded under it.")
    ] = None,
    ledger: Annotated[
        str | None, typer.Option("--ledger", metavar="FILE", help="The ledger with the salt; this machine's if not given.")
    ] = None,
) -> None:
    """Verify a saved receipt, offline. Any changed byte is refused, and named by its field."""
    try:
        verified = read(_content(Path(file)))
    except ReceiptError as error:
        raise CannotDo(f"{file} does not hold: {error}", _GET_ANOTHER) from None
    places = of_this_person()
    for line in (_whose(verified), _of_this_machine(places, verified.signed)):
        show.say(line)
    if batches is not None:
        show.say(_under_it(verified.signed, Path(batches), Path(ledger) if ledger else places.ledger))


def _whose(verified: Verified) -> str:
    found, key = verified.receipt, principal_id(verified.signed.public_key)
    return f"The receipt {found.id} for {found.controller} holds: every byte of it is as it was signed by {key}."


def _of_this_machine(places: Places, signed: SignedReceipt) -> str:
    own = ledger_public_key(places)
    if own is None:
        return "There is no ledger key here to compare that with."
    if own == signed.public_key:
        return "That is the ledger key of this machine."
    return "That is not the ledger key of this machine: the receipt was given elsewhere, or is none of yours."


def _under_it(signed: SignedReceipt, batches: Path, ledger: Path) -> str:
    """How many of these batches carry the salted commitment to this receipt."""
    salts = [entry.data.get("salt") for entry in salvage(ledger) if entry.data.get("receipt") == signed.as_json()]
    known = {commitment(bytes.fromhex(salt), signed.as_json()).hex() for salt in salts if isinstance(salt, str)}
    if not known:
        raise CannotDo(f"{ledger} does not know this receipt, so its salt is not known", "give --ledger ledger.jsonl of an export")
    try:
        found = [msgspec.json.decode(line, type=_Batch) for line in _content(batches).splitlines()]
    except UNREADABLE:
        raise CannotDo(f"{batches} is no batches.jsonl", "make one with: volens export --sent") from None
    mine = sum(batch.receipt_commitment in known for batch in found)
    return f"Of {counted(len(found), 'batch')} in {batches}, {mine} carry the commitment to this receipt."


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES)
    except OSError as error:
        raise CannotDo(f"{path} cannot be read ({error.strerror})", "name a file that you saved") from None
