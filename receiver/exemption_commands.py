"""`volens-receiver exemptions`: the queue at the receiver; reasons and decisions on the reviewer's own machine, where the key is.

Refuses to open a reason at the receiver without the reviewer's key, to sign unasked, and to put in what the reviewer in force did not sign.
"""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from consent.exemption import Covers
from consent.hours import ALWAYS_WORD
from consent.unreadable import UNREADABLE
from consent.vocabulary import Kind, SurfaceId
from receiver import passphrases
from receiver.errors import ReceiverError
from transport.errors import TransportError
from transport.exemption_proof import LAST_DAY, Asking, Decision, open_reason, read_decision, sign_decision

cli = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Exemptions: what is asked for, by nobody, and decided.")

Directory = Annotated[Path, typer.Argument(metavar="FOLDER", help="The receiver's folder.")]
OneId = Annotated[str, typer.Argument(metavar="ID", help="The request's id, or the beginning of it.")]
Source = Annotated[Path, typer.Argument(metavar="QUEUE", help="What `exemptions list --json` printed, or the receiver's folder.")]
Key = Annotated[Path, typer.Option(metavar="FILE", help="The reviewer's NAME.key.")]
_MAX_BYTES = 64 * 1024 * 1024
_SHORT = 12


class Queued(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A request as the queue has it, on its way to the reviewer's machine."""

    asking: Asking
    asked_on: date


@cli.command("keygen")
def keygen(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The reviewer's name: a-z, 0-9, - . and _.")],
    out: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Folder for NAME.key, which you keep, and NAME.reviewer.json, for the policy.")
    ],
    no_passphrase: Annotated[bool, typer.Option("--no-passphrase", help="Leave the private key open in its file.")] = False,
) -> None:
    """Make a reviewer's keys, on the reviewer's own machine. One file opens reasons and signs decisions."""
    from receiver import policy_keys, reviewer_keys

    passphrase = None if no_passphrase else passphrases.new(policy_keys.check_passphrase)
    private, public = reviewer_keys.make(out, name, passphrase)
    keep = "it is NOT sealed: whoever copies it reads reasons and decides in your name" if no_passphrase else "sealed with your passphrase"
    typer.echo(f"{private}: keep it, and a copy elsewhere; {keep}")
    typer.echo(f"{public}: goes into the policy as its `reviewer`: docs/policy.md")


@cli.command("list")
def list_requests(
    directory: Directory, as_json: Annotated[bool, typer.Option("--json", help="Print the queue with sealed reasons.")] = False
) -> None:
    """Show what waits for a decision. Ground, what it covers, how old it is; no reason, and nobody's name."""
    from receiver import clock

    today, found = clock.now().date(), list(_of_folder(directory))
    if as_json:
        typer.echo(msgspec.json.encode(found))
        return
    for each in found:
        days = (today - each.asked_on).days
        typer.echo(f"{each.asking.id[:_SHORT]}\t{each.asking.ground}\t{_covers(each.asking)}\t{days} days old{_appeal(each.asking)}")
    if not found:
        typer.echo("no request waits for a decision")


@cli.command("show")
def show(named: OneId, source: Source, key: Key) -> None:
    """Open one request's reason. On the reviewer's own machine."""
    from receiver import reviewer_keys

    each, reviewer = _one(named, source), reviewer_keys.read(key)
    asking = each.asking
    typer.echo(f"id       {asking.id}\nground   {asking.ground}\ncovers   {_covers(asking)}\nasked    {each.asked_on}")
    typer.echo(f"until    {asking.until or 'no end'}{_appeal(asking)}")
    if asking.reason is None:
        typer.echo("reason   none was given")
        return
    try:
        reason = open_reason(reviewer.reading, asking.id, asking.reason)
    except TransportError as error:
        raise ReceiverError(str(error), "take the key of the policy that was in force when it was asked") from None
    typer.echo(f"reason   {_shown(reason) or 'none was given'}")


@cli.command("decide")
def decide(  # noqa: PLR0913, PLR0917 - each is an option of its own
    named: OneId,
    source: Source,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; who asked reads it, and whoever runs the receiver can.")],
    key: Key,
    out: Annotated[Path, typer.Option(metavar="FILE", help="The decision's file, which must be new.")],
    grant: Annotated[bool, typer.Option("--grant", help="It is granted.")] = False,
    deny: Annotated[bool, typer.Option("--deny", help="It is denied; nothing is switched on by that.")] = False,
    until: Annotated[str | None, typer.Option(metavar="DATE", help="The last day; without it there is no end.")] = None,
) -> None:
    """Sign a decision. On the reviewer's own machine; it goes to the receiver with `publish`."""
    from receiver import clock, reviewer_keys
    from transport import disk

    if grant == deny:
        raise typer.BadParameter("say --grant or --deny")
    if not reason.isprintable() or not 0 < len(reason) <= 500:
        raise typer.BadParameter("a reason is one line of at most 500 characters")
    asking, last = _one(named, source).asking, _day(until)
    decision = Decision(asking.id, grant, reason, last, clock.now().date())
    signed = sign_decision(decision, reviewer_keys.read(key).signing)
    try:
        disk.write_new(out, signed.encode() + b"\n")
    except FileExistsError:
        raise ReceiverError(f"{out} is there already and is not written over", "name another file with --out") from None
    word = "granted" if grant else "denied"
    typer.echo(f"{out}: {word}" + (f" until {last}" if last else "") + "; next: volens-receiver exemptions publish")


@cli.command("publish")
def publish(directory: Directory, decision: Annotated[Path, typer.Argument(metavar="FILE", help="From `exemptions decide`.")]) -> None:
    """Put a decision in, for whoever asked to fetch. The sealed reason is destroyed then."""
    from receiver import clock, exemption_rows
    from receiver.policy_reading import policy_of, read_file
    from receiver.site import open_site

    reviewer = policy_of(directory).reviewer
    if reviewer is None:
        raise ReceiverError("the policy in force names no reviewer", "publish one that does: docs/policy.md")
    signed = read_file(decision).decode(errors="replace").strip()
    try:
        read = read_decision(signed, _id_of(signed), reviewer.verify)
    except TransportError as error:
        raise ReceiverError(f"{decision}: {error}", "sign it with the key of the policy in force") from None
    with open_site(directory).engine.begin() as connection:
        if not exemption_rows.decide(connection, read.id, signed, clock.now().date()):
            raise ReceiverError("no such request waits here", "it was cancelled, or decided already, or its time is over")
    typer.echo(f"{read.id[:_SHORT]} is {'granted' if read.granted else 'denied'}; whoever asked fetches it within an hour")


def _id_of(signed: str) -> str:
    try:
        return str(json.loads(signed)["decision"]["id"])
    except (*UNREADABLE, KeyError, TypeError):
        return ""


def _of_folder(directory: Path) -> Iterator[Queued]:
    from receiver import exemption_rows
    from receiver.site import open_site

    with open_site(directory).engine.connect() as connection:
        for row in exemption_rows.queue(connection):
            yield Queued(row.asking, row.asked_on)


def _one(named: str, source: Path) -> Queued:
    found = [each for each in _queue(source) if each.asking.id.startswith(named)]
    if len(named) < 4 or len(found) != 1:
        raise ReceiverError("no single request has that id", "see: volens-receiver exemptions list")
    return found[0]


def _queue(source: Path) -> list[Queued]:
    from receiver.policy_reading import read_file

    if source.is_dir():
        return list(_of_folder(source))
    try:
        return msgspec.json.decode(read_file(source, _MAX_BYTES), type=list[Queued])
    except UNREADABLE:
        raise ReceiverError(f"{source} is no queue", "print it: volens-receiver exemptions list FOLDER --json") from None


def _covers(asking: Asking) -> str:
    kinds = {each.value for each in Kind}
    named = frozenset(Kind(each) for each in asking.kinds if each in kinds)
    hours = "" if asking.hours == ALWAYS_WORD else f", {asking.hours}"
    return Covers(frozenset(map(SurfaceId, asking.surfaces)), named).text() + hours


def _appeal(asking: Asking) -> str:
    return f", appeals against {asking.appeal[:_SHORT]}" if asking.appeal else ""


def _shown(reason: str) -> str:
    """What somebody wrote, without what would steer a terminal."""
    return "".join(each if each.isprintable() or each == "\n" else "?" for each in reason)


def _day(text: str | None) -> date | None:
    try:
        day = None if text is None else date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("a day is written as 2030-12-31") from None
    if day is not None and day > LAST_DAY:
        raise typer.BadParameter(f"no day after {LAST_DAY} is taken; without --until there is no end")
    return day
