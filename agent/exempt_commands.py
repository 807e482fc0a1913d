"""`volens exempt`: be exempt, see from what, and end it. Needs no daemon, no network and nobody's permission.

A reason is typed on a terminal or read from a file, never an argument; it is sealed here, before anything else gets it.
"""

import os
import sys
from datetime import date
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from agent import messages, show, spans
from agent.errors import AgentError, CannotDo, Usage
from agent.places import of_this_person
from agent.reach import Reach
from consent.exemption import GROUND_WORDS, STAGE_WORDS, Ground
from consent.vocabulary import Kind, SurfaceId
from transport.bounds import MAX_NAMED, MAX_REASON_BYTES
from transport.exemption_proof import LAST_DAY, seal_reason
from transport.process import close_to_others
from transport.xwing import PublicKey

cli = typer.Typer(help="Be exempt: off from the asking on, until you say otherwise.", no_args_is_help=True)
_ID_BYTES = 32
_SHORT = 12
_GROUNDS = ", ".join(ground.value for ground in Ground)
_UNPLUGGED = "By your choice you are exempt while no charger is plugged in; to end that: volens exempt unplugged --off"
_UNKNOWN_LINK = "By your choice you are exempt while nothing tells if the link is metered; to end that: volens exempt unknown-link --off"
_LINK_NOT_METERED = (
    "By your choice a link counts as not metered while nothing tells if it is; to be exempt then: volens exempt unknown-link"
)
OneId = Annotated[str, typer.Argument(metavar="ID", help="The exemption's id, or the beginning of it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@cli.command("request")
def request(  # noqa: PLR0913, PLR0917 - each is an option of its own
    ground: Annotated[str, typer.Option(metavar="GROUND", help=f"One of: {_GROUNDS}. my_choice needs no reason, and nobody decides.")],
    surface: Annotated[list[str] | None, typer.Option("--surface", metavar="NAME", help="In this app only; may be repeated.")] = None,
    kind: Annotated[list[str] | None, typer.Option("--kind", metavar="KIND", help="From this kind only; may be repeated.")] = None,
    hours: Annotated[str | None, typer.Option(metavar="HOURS", help="In these hours only, such as 'mon-fri 9:00-12:00'.")] = None,
    until: Annotated[
        str | None, typer.Option(metavar="DATE", help="Up to this day, such as 2030-12-31; nothing starts by its end.")
    ] = None,
    reason_file: Annotated[str | None, typer.Option(metavar="FILE", help="Read the reason from here; - is stdin.")] = None,
    appeal: Annotated[str | None, typer.Option(metavar="ID", help="Against the denial of this exemption.")] = None,
) -> None:
    """Be exempt from now on. Of everything, unless an app, a kind or hours are named; whatever a reviewer decides."""
    close_to_others()
    chosen, reach, request_id = _ground(ground), Reach(of_this_person()), os.urandom(_ID_BYTES).hex()
    if chosen is Ground.MY_CHOICE and (reason_file is not None or appeal is not None):
        raise Usage("your own choice needs no reason, and nobody denies it", "leave out --reason-file and --appeal")
    surfaces, kinds, last = _surfaces(surface or []), _kinds(kind or []), _day(until)
    sealed = None if chosen is Ground.MY_CHOICE else _sealed(reach, request_id, reason_file)
    asked = messages.AskExemption(request_id, chosen, surfaces, kinds, hours, last, appeal, sealed)
    _say(reach.ask(asked))


@cli.command("unplugged")
def unplugged(off: Annotated[bool, typer.Option("--off", help="No longer.")] = False) -> None:
    """Be exempt whenever no charger is plugged in. A low battery and a metered link exempt you without asking."""
    _say(Reach(of_this_person()).ask(messages.ChooseUnplugged(not off)))


@cli.command("unknown-link")
def unknown_link(off: Annotated[bool, typer.Option("--off", help="No longer: such a link counts as not metered.")] = False) -> None:
    """Be exempt also while nothing tells if the link is metered."""
    _say(Reach(of_this_person()).ask(messages.ChooseUnknownLink(not off)))


@cli.command("list")
def list_exemptions(as_json: AsJson = False) -> None:
    """What you are exempt from."""
    found = _exemptions()
    if as_json:
        chosen = {"unplugged": found.unplugged, "unknown_link": found.unknown_link}
        typer.echo(msgspec.json.encode({"exemptions": [_plain(each) for each in found.exemptions], **chosen}))
        return
    for each in found.exemptions:
        show.say(f"{each.id[:_SHORT]}  {each.stage}  {GROUND_WORDS[each.ground]}: {each.covers}")
    if not found.exemptions:
        typer.echo("You asked for no exemption.")
    for line in _chosen(found):
        show.say(line)


@cli.command("show")
def show_exemption(named: OneId, as_json: AsJson = False) -> None:
    """One exemption, and what was decided about it."""
    each = _one(named)
    if as_json:
        typer.echo(msgspec.json.encode(_plain(each)))
        return
    for label, words in _lines(each):
        show.say(f"{label:<10}{words}")


@cli.command("cancel")
def cancel(named: OneId) -> None:
    """End an exemption. What it covers is recorded again as you agreed to."""
    _say(Reach(of_this_person()).ask(messages.CancelExemption(named)))


def _chosen(found: messages.ExemptionsAre) -> list[str]:
    """What exempts, or does not, because the person chose it once."""
    lines = [_UNPLUGGED] if found.unplugged else []
    return lines if found.unknown_link is None else [*lines, _UNKNOWN_LINK if found.unknown_link else _LINK_NOT_METERED]


def _lines(each: messages.ExemptionIs) -> list[tuple[str, str]]:
    found = [
        ("id", each.id),
        ("ground", GROUND_WORDS[each.ground]),
        ("covers", each.covers),
        ("stage", f"{each.stage}: {STAGE_WORDS[each.stage]}"),
    ]
    found.append(("asked", each.asked))
    if each.until is not None:
        found.append(("until", each.until.isoformat()))
    if each.appeal is not None:
        found.append(("appeal", f"against the denial of {each.appeal[:_SHORT]}"))
    if each.reason:
        found.append(("decision", each.reason))
    if each.ground is not Ground.MY_CHOICE:
        found.append(("request", "the receiver has it" if each.handed_in else "not handed in"))
    if each.doubted:
        found.append(("", "what came for a decision was not the reviewer's, and was refused"))
    return found


def _plain(each: messages.ExemptionIs) -> dict[str, object]:
    return {name: getattr(each, name) for name in each.__struct_fields__}


def _exemptions() -> messages.ExemptionsAre:
    match Reach(of_this_person()).ask(messages.ListExemptions()):
        case messages.ExemptionsAre() as found:
            return found
        case answer:
            raise _unexpected(answer)


def _one(named: str) -> messages.ExemptionIs:
    found = [each for each in _exemptions().exemptions if each.id.startswith(named.strip().lower())]
    if len(found) != 1:
        raise CannotDo("no single exemption has that id", "see: volens exempt list")
    return found[0]


def _ground(text: str) -> Ground:
    if text not in set(Ground):
        raise Usage(f"there is no ground {text}", f"give one of: {_GROUNDS}")
    return Ground(text)


def _surfaces(names: list[str]) -> frozenset[SurfaceId]:
    if len(names) > MAX_NAMED:
        raise Usage(f"more than {MAX_NAMED} apps were named", "name none for all of them")
    return frozenset(spans.app(name) for name in names)


def _kinds(names: list[str]) -> frozenset[Kind]:
    unknown = sorted({spans.named(each, "kind") for each in names} - {each.value for each in Kind})
    if unknown:
        raise Usage(f"there is no kind {', '.join(unknown)}", "see: volens consent show")
    return frozenset(Kind(name) for name in names)


def _day(text: str | None) -> date | None:
    try:
        day = None if text is None else date.fromisoformat(text)
    except ValueError:
        raise Usage("that is no day", "say it as in: --until 2030-12-31") from None
    if day is not None and day > LAST_DAY:
        raise Usage(f"that day is after {LAST_DAY}", "leave out --until: without it there is no end")
    return day


def _sealed(reach: Reach, request_id: str, reason_file: str | None) -> bytes | None:
    """The reason, sealed to the reviewer; None where nobody is named who could read it."""
    match reach.ask(messages.AskReviewer()):
        case messages.ReviewerIs(str(name), bytes(key)):
            return seal_reason(PublicKey(key), request_id, _reason(name, reason_file))
        case messages.ReviewerIs():
            if reason_file is not None:
                raise CannotDo("no policy in force names a reviewer, so a reason can be sealed to nobody", "ask without --reason-file")
            return None
        case answer:
            raise _unexpected(answer)


def _reason(name: str, reason_file: str | None) -> str:
    if reason_file == "-":
        return sys.stdin.read(MAX_REASON_BYTES + 1).strip()
    if reason_file is not None:
        return _read(Path(reason_file))
    if not sys.stdin.isatty():
        return ""
    asked = f"Your reason, which only {name} can read (in one line; empty: none)"
    return str(typer.prompt(asked, default="", show_default=False)).strip()


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(MAX_REASON_BYTES + 1).decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        what = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise CannotDo(f"{path} cannot be read ({what})", "name a file with your reason, or - for stdin") from None


def _say(answer: messages.Answer) -> None:
    match answer:
        case messages.Done(words):
            show.say(words)
        case _:
            raise _unexpected(answer)


def _unexpected(answer: messages.Answer) -> AgentError:
    if isinstance(answer, messages.Refused):
        return CannotDo(answer.what, answer.do)
    return CannotDo("the daemon gave an answer to another question", "restart it: volens run")
