"""Commands for one's own data, on any machine: enrol this one, export what is held or was sent, have what was sent erased.

The recovery code and the fleet token are asked for without echo, or come on standard input; never as an argument or by the environment.
"""

import asyncio
import hashlib
import sys
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from agent import clock, enrolment, erase_sent, export_held, export_sent, opened, show, spans
from agent.erase_sent import Between, Chosen, Erased
from agent.errors import CannotDo, Usage
from agent.folder import Folder
from agent.own_machine import consents_of
from agent.places import Places, of_this_person
from agent.record import SENT
from agent.sent import Missing, Terms
from agent.settings import Settings, SettingsWrong, check_pin, check_receiver, read
from agent.words import counted
from consent.ledger import salvage
from transport import disk
from transport.erasing import Asking, Receipt
from transport.process import close_to_others
from transport.recovery import RecoveryCode
from transport.recovery import parse as parse_code
from transport.retrieving import MAX_CONSENTS

_MAX_SECRET_CHARACTERS = 1000
_RECEIVER = typer.Option("--receiver", metavar="URL", help="The receiver's address; of agent.toml if not given.")
_PIN = typer.Option("--receiver-pin", metavar="HEX", help="SHA-256 of the one public key that the receiver may have.")
_CONSENTS = typer.Option("--consents", min=1, max=MAX_CONSENTS, metavar="NUMBER", help="How often a yes was given there, at most; 8.")
_CONSENTS_ELSEWHERE = 8


def enroll(
    token_file: Annotated[
        str | None, typer.Option("--token-file", metavar="FILE", help="Read the fleet token from here; - is stdin.")
    ] = None,
) -> None:
    """Join the receiver of agent.toml with a fleet token. Collects nothing."""
    places = of_this_person()
    close_to_others()
    settings = read(places.settings)
    enrolment.receiver_of(settings)
    token = _from_file(token_file) if token_file not in (None, "-") else _secret("Fleet token")
    places.prepare()
    show.say(enrolment.enrol(places, settings, token, _today()))


def export(
    to: Annotated[str, typer.Option("--to", metavar="FOLDER", help="A new folder.")],
    sent: Annotated[bool, typer.Option("--sent", help="What was sent, from the receiver, with the recovery code.")] = False,
    receiver: Annotated[str | None, _RECEIVER] = None,
    pin: Annotated[str | None, _PIN] = None,
    consents: Annotated[int | None, _CONSENTS] = None,
) -> None:
    """Your own data as files. What is held here with the ledger; or with --sent what the receiver has, from any machine."""
    close_to_others()
    places = of_this_person()
    if not sent:
        _export_held(places, Path(to))
        return
    at, its_pin = _where(places, receiver, pin)
    code = parse_code(_secret("Recovery code"))
    numbers = _numbers(places, code, consents)
    terms = Terms.of(code, at, its_pin)
    done = asyncio.run(export_sent.export(terms, code.reading_key(), Path(to), today=_today(), consents=numbers, told=_progress))
    if done.batches:
        show.say(f"Exported to {to}: {counted(done.batches, 'batch')} with {counted(done.events, 'event')}.")
    elif not done.missing:
        show.say(_NOTHING.format(pseudonyms=done.pseudonyms))
    _complain("fetched", done.missing, f"what is missing is listed in {to}/{export_sent.MISSING}; do it again later")


def erase(  # noqa: PLR0913 - each is an option
    *,
    everything: Annotated[bool, typer.Option("--all", help="All that was sent.")] = False,
    since: Annotated[str | None, typer.Option("--from", metavar="TIME", help="From this time on (UTC), such as 2026-11-21T09:30.")] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Up to this time (UTC); now if not given.")] = None,
    last: Annotated[str | None, typer.Option("--last", metavar="SPAN", help="The last span of time, such as 10d.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask again.")] = False,
    receipts: Annotated[str | None, typer.Option("--receipts", metavar="FOLDER", help="Keep the receipts here.")] = None,
    receiver: Annotated[str | None, _RECEIVER] = None,
    pin: Annotated[str | None, _PIN] = None,
    consents: Annotated[int | None, _CONSENTS] = None,
) -> None:
    """Have the receiver erase what was sent, from any machine. Needs the recovery code; --all, or the batches that a span touches."""
    close_to_others()
    places = of_this_person()
    span = _span(everything=everything, since=since, until=until, last=last)
    at, its_pin = _where(places, receiver, pin)
    keep_in = _receipts_folder(places, receipts)
    if not yes and not sys.stdin.isatty():
        raise Usage("nobody can be asked whether to erase", "add --yes")
    code = parse_code(_secret("Recovery code"))
    terms, numbers = Terms.of(code, at, its_pin), _numbers(places, code, consents)
    chosen = asyncio.run(erase_sent.choose(terms, code.reading_key(), span, today=_today(), consents=numbers, told=_progress))
    if chosen.count:
        show.say(_what(chosen, at))
        if not yes:
            typer.confirm("Erase?", abort=True)
        erased = asyncio.run(erase_sent.erase(terms, chosen, lambda asking, receipt: _keep(keep_in, asking, receipt), lambda _: None))
        _say_erased(erased, keep_in)
        _complain("erased", erased.missing, "do it again later")
    elif not chosen.missing:
        show.say(_NOTHING.format(pseudonyms=chosen.pseudonyms) if span is None else "Nothing of that time is at the receiver.")
    _complain("looked at", chosen.missing, "do it again later")


def access(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON: one record a line.")] = False,
    receiver: Annotated[str | None, _RECEIVER] = None,
    pin: Annotated[str | None, _PIN] = None,
) -> None:
    """Who opened what, when and what for: the receiver's access log, verified. Yours are marked on the machine that sent them."""
    places = of_this_person()
    at, its_pin = _where(places, receiver, pin)
    records = asyncio.run(opened.read_log(at, its_pin, opened.seen_in(places.access_seen)))
    if places.state.is_dir():
        with suppress(OSError):
            opened.keep(places.access_seen, at, records)
    mine = frozenset(str(entry.data.get("id")) for entry in salvage(places.ledger) if entry.what == SENT)
    if as_json:
        for record in records:
            stated = {name: getattr(record, name) for name in ("id", "at", "purpose", "reason", "batches", "hash")}
            typer.echo(msgspec.json.encode(stated | {"mine": len(mine.intersection(record.batches))}))
    else:
        show.accesses(records, mine)


_NOTHING = (
    "The receiver has nothing of this recovery code ({pseudonyms} pseudonyms asked for). Each machine has its own code; "
    "if a yes was given there more often than 8 times: --consents."
)


def _export_held(places: Places, to: Path) -> None:
    held = export_held.export(places, Folder(to, export_held.FILES))
    show.say(f"Exported to {to}: {counted(held.events, 'held event')}, {counted(held.ledger_lines, 'line')} of the ledger.")
    if held.unreadable:
        raise CannotDo("; ".join(held.unreadable).replace("; ", ", and "), "what could be read is there")


def _where(places: Places, receiver: str | None, pin: str | None) -> tuple[str, str | None]:
    """Whom to ask: as said, otherwise as agent.toml says. Its being broken or missing matters only if it is needed."""
    if receiver is None:
        settings = read(places.settings)
        if settings.receiver is None:
            raise CannotDo("no receiver is configured here", "name it: --receiver https://...")
        if pin is not None:
            check_pin(Path("--receiver-pin"), Settings(settings.receiver, pin))
        return settings.receiver, pin or settings.receiver_pin
    said = Path("--receiver")
    check_receiver(said, receiver)
    if pin is not None:
        check_pin(Path("--receiver-pin"), Settings(receiver, pin))
        return receiver, pin
    with suppress(SettingsWrong):  # whoever names the configured one again does not lose its pin
        settings = read(places.settings)
        return receiver, settings.receiver_pin if settings.receiver == receiver else None
    return receiver, None


def _numbers(places: Places, code: RecoveryCode, consents: int | None) -> list[int]:
    """The numbers of the consents to look for: counted from the first; where the code is this machine's own, the ledger knows how many."""
    known = consents_of(places, code) if consents is None else consents
    return list(range(1, (known or _CONSENTS_ELSEWHERE) + 1))


def _secret(what: str) -> str:
    """A line that nobody sees: typed without echo on a terminal, otherwise the first line of standard input."""
    if sys.stdin.isatty():
        return str(typer.prompt(what, hide_input=True))
    line = sys.stdin.readline(_MAX_SECRET_CHARACTERS)
    if not line.strip():
        raise Usage(f"no {what.lower()} came on standard input", "type it on a terminal, or pipe it in")
    return line


def _from_file(name: str | None) -> str:
    path = Path(name or "")
    try:
        with path.open(encoding="utf-8") as file:
            return file.read(_MAX_SECRET_CHARACTERS)
    except (OSError, UnicodeDecodeError) as error:
        raise CannotDo(f"{path} cannot be read ({getattr(error, 'strerror', None) or 'no text'})", "name the token's file") from None


def _span(*, everything: bool, since: str | None, until: str | None, last: str | None) -> Between | None:
    """What to erase; None for all. Raises Usage."""
    if [everything, since is not None, last is not None].count(True) != 1 or (until is not None and since is None):
        raise Usage("say what to erase", "give one of --all, --last 10d, --from TIME --to TIME")
    now = clock.read()
    if everything:
        return None
    if last is not None:
        from_ms, to_ms = max(0, now.wall_ms - spans.seconds(last) * 1000), now.wall_ms
    else:
        from_ms, to_ms = spans.between_ms(since or "", until, now)
    return Between(from_ms, to_ms, datetime.fromtimestamp(from_ms / 1000, UTC).date())


def _today() -> date:
    return clock.read().day


def _receipts_folder(places: Places, named: str | None) -> Path:
    """Where receipts are kept: as said, otherwise with the state. Raises Usage if there is neither."""
    if named is None and not places.state.is_dir():
        raise Usage("this machine has no state folder to keep the receipts in", "say where: --receipts FOLDER")
    folder = Path(named) if named is not None else places.erasures
    try:
        disk.make_private(folder)
    except OSError as error:
        raise CannotDo(f"{folder} cannot be made ({error.strerror})", "name another folder: --receipts FOLDER") from None
    return folder


def _keep(folder: Path, asking: Asking, receipt: Receipt) -> None:
    name = hashlib.sha256(asking.pseudonym + ",".join(asking.batches or ()).encode()).hexdigest()
    disk.put(folder / f"{name}.receipt", receipt.raw)


def _what(chosen: Chosen, receiver: str) -> str:
    words = f"{counted(chosen.count, 'batch')} at {receiver} will be erased, for good."
    if chosen.cut:
        words += f" Also of other times: {counted(chosen.cut, 'batch')} of these; a batch is erased whole."
    if chosen.unreadable:
        words += f" Unreadable, so perhaps of that time: {counted(chosen.unreadable, 'batch')} of these."
    return words


def _say_erased(erased: Erased, keep_in: Path) -> None:
    if erased.last_copy_dies is None:
        return
    show.say(
        f"Erased: {counted(erased.batches, 'batch')}. The last copy dies on {erased.last_copy_dies}, by the receiver's signed receipts, "
        f"which are in {keep_in}."
    )
    for key in sorted(erased.keys):
        show.say(f"They are signed by the key {key}.")


def _progress(done: int, of: int) -> None:
    """How far it is, on stderr: in place on a terminal, now and then elsewhere."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\rasked for {done} of {of} pseudonyms" + ("\n" if done == of else ""))
        sys.stderr.flush()


def _complain(done: str, missing: Iterable[Missing], do: str) -> None:
    """Raise CannotDo if anything is missing, with the commonest reason."""
    whole = list(missing)
    if not whole:
        return
    reasons = [one.why for one in whole]
    commonest = max(set(reasons), key=lambda why: (reasons.count(why), why))
    batches = sum(one.batch is not None for one in whole)
    parts = [(batches, "batch"), (len(whole) - batches, "pseudonym")]
    what = " and ".join(counted(n, thing) for n, thing in parts if n)
    raise CannotDo(f"{what} could not be {done} ({commonest})", do)
