"""The command line: what a person says to their agent. Every command is one request, and works without the daemon if it must.

Errors are one line on stderr, `volens: what is wrong; what to do`, exit 1 (2 for usage). The exit codes of `status` are in
agent/status.py. Nothing here decides: the daemon, or the same code under its lock, does.
"""

import contextlib
import sys
from collections.abc import Iterator
from typing import Annotated

import msgspec
import typer

from agent import clock, exempt_commands, faults, messages, own, receipts, show, spans, terminal, zone
from agent.doctor import doctor
from agent.errors import AgentError, CannotDo, Usage
from agent.places import of_this_person
from agent.reach import Reach
from agent.status import Status, as_json, exit_code
from consent.holding import LONGEST_S, SHORTEST_S
from consent.pause import DEFAULT_MINUTES
from consent.vocabulary import Kind, Purpose, SurfaceId

_SETTINGS = {"no_args_is_help": True, "add_completion": True, "pretty_exceptions_enable": False, "rich_markup_mode": None}
app = typer.Typer(help="Volens: a recorder that you can say no to.", **_SETTINGS)  # type: ignore[arg-type]
consent = typer.Typer(help="Your consent: read what is asked, say yes, take it back.", no_args_is_help=True)
app.add_typer(consent, name="consent")
app.add_typer(exempt_commands.cli, name="exempt")

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def _reach() -> Reach:
    return Reach(of_this_person())


def _say(answer: messages.Answer) -> None:
    match answer:
        case messages.Done(words):
            show.say(words)
        case messages.Refused(what, do):
            raise CannotDo(what, do)


def _heard(answer: messages.Answer) -> None:
    """It was done, and there is more to come; a refusal ends the command."""
    if not isinstance(answer, messages.Done):
        _say(answer)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import PackageNotFoundError, version

        try:
            typer.echo(f"volens {version('volens')}")
        except PackageNotFoundError:
            raise CannotDo("this volens is not installed, so it has no version", "install it: ./dev run") from None
        raise typer.Exit


@app.callback()
def _all(
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    pass


@app.command()
def run(
    trial: Annotated[bool, typer.Option("--trial", help="A local trial: throw-away keys, nothing leaves this machine.")] = False,
    ask: Annotated[bool, typer.Option("--ask", help="Start although you said no, so that you can say yes.")] = False,
) -> None:
    """Start the agent. It records nothing until you say yes and the icon is visible."""
    if trial:
        from agent.trial import run_trial

        raise typer.Exit(run_trial())
    from agent.run import run_daemon

    raise typer.Exit(run_daemon(of_this_person(), even_after_no=ask))


@app.command()
def status(
    as_json: Json = False,
    watch: Annotated[bool, typer.Option("--watch", help="Print again at every change; Ctrl-C ends it.")] = False,
) -> None:
    """What holds now, and why.

    Exit codes: 0 collecting, 3 paused, 4 no consent or withdrawn, 5 exempt, 6 blocked, 7 the daemon is not running.
    """
    reach = _reach()
    reports = reach.watch() if watch else iter([reach.status()])
    for report in _json(reports) if as_json else terminal.watch(reports):  # noqa: B007
        sys.stdout.flush()
    raise typer.Exit(exit_code(report))


def _json(reports: Iterator[Status]) -> Iterator[Status]:
    for report in reports:
        typer.echo(as_json(report))
        yield report


@app.command()
def pause(
    minutes: Annotated[int | None, typer.Argument(min=1, max=24 * 60, metavar="MINUTES", help="How long; 30 if not given.")] = None,
    today: Annotated[bool, typer.Option("--today", help="For the rest of today.")] = False,
    until_resumed: Annotated[bool, typer.Option("--until-resumed", help="Until you resume.")] = False,
) -> None:
    """Stop recording for a while. The pause ends only when you resume."""
    if [minutes is not None, today, until_resumed].count(True) > 1:
        raise Usage("give one of minutes, --today, --until-resumed", "try: volens pause 30")
    if today:
        minutes = spans.rest_of_today_minutes(clock.read(), zone.name())
    _say(_reach().ask(messages.Pause(None if until_resumed else minutes or DEFAULT_MINUTES)))


@app.command()
def resume() -> None:
    """End a pause."""
    _say(_reach().ask(messages.Resume()))


LastSpan = Annotated[str | None, typer.Option("--last", metavar="SPAN", help="The last span of time, such as 10m.")]
OneSurface = Annotated[str | None, typer.Option("--surface", metavar="NAME", help="Everything from one app.")]
Begin = Annotated[str | None, typer.Option("--from", metavar="TIME", help="From this time on, UTC as show prints it.")]
End = Annotated[str | None, typer.Option("--to", metavar="TIME", help="Up to this time; now if not given.")]


@app.command()
def forget(
    last: LastSpan = None,
    surface: OneSurface = None,
    begin: Begin = None,
    end: End = None,
    everything: Annotated[bool, typer.Option("--all", help="Everything that is held.")] = False,
) -> None:
    """Take back what was recorded. What is held goes at once; the receiver is asked to erase what has left and overlaps."""
    if [last is not None, surface is not None, begin is not None or end is not None, everything].count(True) != 1:
        raise Usage("say what to forget", "give one of --last 10m, --surface NAME, --from TIME --to TIME, --all")
    _say(_reach().ask(messages.Forget(*_chosen(last, surface, begin, end))))


def _chosen(
    last: str | None, surface: str | None, begin: str | None, end: str | None
) -> tuple[int | None, SurfaceId | None, int | None, int | None]:
    last_s = spans.seconds(last) if last is not None else None
    between_ms = (None, None) if begin is None and end is None else spans.between_ms(begin, end, clock.read())
    return last_s, spans.app(surface) if surface is not None else None, *between_ms


@app.command()
def send(last: LastSpan = None, surface: OneSurface = None, begin: Begin = None, end: End = None) -> None:
    """Let what is held leave now: all of it, or exactly a span. Its hold is over because you say so."""
    if [last is not None, surface is not None, begin is not None or end is not None].count(True) > 1:
        raise Usage("say one span", "give one of --last 10m, --surface NAME, --from TIME --to TIME, or nothing for all")
    _say(_reach().ask(messages.Send(*_chosen(last, surface, begin, end))))


@app.command("hold")
def hold_for(
    span: Annotated[str | None, typer.Argument(metavar="SPAN", help="15m to 7d, such as 24h; without it: how long now.")] = None,
) -> None:
    """How long everything stays here before it may leave. Yours to choose; a policy can only make it longer."""
    seconds = spans.seconds(span) if span is not None else None
    if seconds is not None and not SHORTEST_S <= seconds <= LONGEST_S:
        raise Usage("that cannot be chosen", "give 15m to 7d, such as 24h; to let something leave now: volens send")
    _say(_reach().ask(messages.HoldFor(seconds)))


@app.command("hours")
def choose_hours(
    hours: Annotated[
        str | None,
        typer.Argument(metavar="HOURS", help="Such as 'mon-fri 9:00-17:00', or all: all those of your yes; without it: which now."),
    ] = None,
) -> None:
    """In which hours you are willing to be recorded. Never more than those of your yes: volens consent give --hours."""
    _say(_reach().ask(messages.ChooseHours(None if hours in (None, "all") else hours, only_say=hours is None)))


@app.command("show")
def show_held(
    as_json: Json = False,
    since: Annotated[str | None, typer.Option("--since", metavar="SPAN", help="Only the last span of time, such as 10m.")] = None,
) -> None:
    """What is held on this computer. Every event exactly as it would leave."""
    events = _reach().held(spans.seconds(since) if since is not None else None)
    if as_json:
        for event in events:
            typer.echo(msgspec.json.encode(show.plain(event)))
    else:
        show.held(events)


@app.command()
def tray() -> None:
    """Show the icon, if it is gone. Without it nothing is recorded."""
    _say(_reach().ask(messages.ShowIcon()))


@app.command()
def demo(
    as_json: Json = False,
    keep: Annotated[str | None, typer.Option("--keep", metavar="FOLDER", help="Keep everything it wrote in this new folder.")] = None,
) -> None:
    """See the whole life of one event. On a screen of its own, in under two minutes; touches nothing of yours."""
    from agent.demo.demo import run as run_demo

    raise typer.Exit(run_demo(as_json, keep))


app.command()(own.export)
app.command()(doctor)
app.command()(own.erase)
app.command()(own.access)
app.command()(own.enroll)


@consent.command("show")
def consent_show() -> None:
    """Read what is asked of you. This starts nothing."""
    offer = _reach().offer(with_code=False)
    terminal.read(f"{show.waiting(offer.waits)}{offer.notice}")


@consent.command("give")
def consent_give(
    purpose: Annotated[
        list[str] | None, typer.Option("--purpose", metavar="NAME", help="Yes to this purpose only; may be repeated.")
    ] = None,
    kind: Annotated[list[str] | None, typer.Option("--kind", metavar="KIND", help="Yes to this kind only; may be repeated.")] = None,
    hours: Annotated[
        str | None, typer.Option("--hours", metavar="HOURS", help="Yes in these hours only, such as 'mon-fri 9:00-17:00'; or always.")
    ] = None,
) -> None:
    """Say yes, after reading. Needs the code that the icon draws on the screen: only somebody who sees it can say yes."""
    reach = _reach()
    spans.hours(hours, zone.name())  # a slip of the pen is found before anything is asked
    purposes = frozenset(Purpose(spans.named(each, "purpose")) for each in purpose or ())
    kinds = _kinds(kind or [])
    with _asking(reach):
        _ask_for_a_yes(reach, reach.offer(with_code=True), purposes, kinds, hours)


@contextlib.contextmanager
def _asking(reach: Reach) -> Iterator[None]:
    """While this runs the code is on the screen; however it ends, it goes."""
    try:
        yield
    finally:
        with contextlib.suppress(AgentError, OSError):
            reach.ask(messages.EndAsking())


def _ask_for_a_yes(
    reach: Reach, offer: messages.Offer, only_purposes: frozenset[Purpose], only_kinds: frozenset[Kind], hours: str | None
) -> None:
    purposes = only_purposes or frozenset(Purpose(each) for each in offer.purposes)
    kinds = only_kinds or frozenset(offer.kinds)
    agreed = spans.hours(hours, offer.zone)
    terminal.read(
        f"{show.waiting(offer.waits)}{offer.notice}\n{show.covers(purposes, kinds, agreed.text() if agreed else offer.hours, offer.exempt)}"
    )
    if not terminal.acknowledged():
        typer.echo("Nothing was agreed to. Nothing is recorded.")
        return
    _heard(reach.ask(messages.Acknowledge(offer.notice_sha256)))
    while code := terminal.code():
        match reach.ask(messages.GiveConsent(code, purposes, kinds, offer.notice_sha256, hours)):
            case messages.Given(receipt_id, recovery_code):
                show.given(receipt_id, recovery_code)
                return
            case messages.Refused(what, do, again=True):
                typer.echo(f"volens: {what}; {do}", err=True)
            case answer:
                _say(answer)
                return
    typer.echo("Nothing was agreed to. Nothing is recorded.")


@consent.command("acknowledge")
def consent_acknowledge() -> None:
    """Read the notice and say that you have read it. That is no yes; where it is due on each day, nothing is recorded before."""
    if not sys.stdin.isatty():
        raise Usage("nobody can be asked whether they have read it", "give the command in a terminal")
    reach = _reach()
    offer = reach.offer(with_code=False)
    terminal.read(offer.notice)
    if terminal.acknowledged():
        _say(reach.ask(messages.Acknowledge(offer.notice_sha256)))
    else:
        typer.echo("Nothing was acknowledged.")


def _kinds(names: list[str]) -> frozenset[Kind]:
    unknown = sorted({spans.named(each, "kind") for each in names} - {each.value for each in Kind})
    if unknown:
        raise Usage(f"there is no kind {', '.join(unknown)}", "see: volens consent show")
    return frozenset(Kind(name) for name in names)


@consent.command("withdraw")
def consent_withdraw() -> None:
    """Take your consent back. Recording ends, everything held is destroyed, the receiver is asked to erase. Never refused."""
    _say(_reach().ask(messages.Withdraw()))


consent.command("receipt")(receipts.receipt)
consent.command("verify")(receipts.verify)


def main() -> None:
    """Run one command. The process boundary: every error is one line on stderr, exit 2 for usage and 1 for anything else."""
    try:
        code = app(prog_name="volens", standalone_mode=False)
    except typer.Abort:
        sys.stderr.write(f"volens: {faults.NOTHING_DONE}\n")
        code = faults.FAILED
    except Exception as error:
        code = _complain(error)
    raise SystemExit(code)


def _complain(error: Exception) -> int:
    said = error.format_message() if hasattr(error, "format_message") else ""
    if "\n" in said:  # the help of a command that was called without a word
        sys.stderr.write(f"{said}\n")
        return faults.USAGE
    fault = faults.of(error)
    sys.stderr.write(f"volens: {fault.line}\n")
    return fault.code
