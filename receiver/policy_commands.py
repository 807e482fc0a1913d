"""`volens-receiver policy`: from nothing to a published policy. Refuses to sign unseen, and to publish what a group has not signed."""

import json
import sys
from collections.abc import Iterable
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from receiver import passphrases
from receiver.errors import ReceiverError
from receiver.policy_reading import check_notice, policy_of, published_in, read_draft, read_file, tuf_of

cli = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The policy: who signs it, what it says, what it would do.")

Directory = Annotated[Path, typer.Argument(metavar="FOLDER", help="The receiver's folder.")]
Source = Annotated[Path, typer.Argument(metavar="POLICY", help="A policy's file, or a receiver's folder for the one in force.")]
Days = Annotated[int, typer.Option(min=1, max=1100, metavar="NUMBER", help="How many days it is good for.")]
Out = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="The draft's file, which must be new.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@cli.command("keygen")
def keygen(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Your name: a-z, 0-9, - . and _.")],
    group: Annotated[str, typer.Option(metavar="GROUP", help="Whom you sign for: privacy-officer, employees-representative.")],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Folder for NAME.key, which you keep, and NAME.pub, which you hand on.")],
    no_passphrase: Annotated[bool, typer.Option("--no-passphrase", help="Leave the private key open in its file.")] = False,
) -> None:
    """Make a signer's key pair, on the signer's own machine."""
    from receiver import policy_keys

    passphrase = None if no_passphrase else passphrases.new(policy_keys.check_passphrase)
    private, public, signer = policy_keys.make(out, name, group, passphrase)
    keep = "it is NOT sealed: whoever copies it signs in your name" if no_passphrase else "sealed with your passphrase"
    typer.echo(f"{private}: keep it, and a copy elsewhere; {keep}")
    typer.echo(f"{public}: hand it on, and read its id to whoever drafts root:\n{signer.key.keyid}")


@cli.command("init")
def init(
    directory: Directory,
    signer: Annotated[list[Path], typer.Option(metavar="FILE", help="A signer's NAME.pub; once for each signer.")],
    days: Days = 730,
    out: Out = None,
) -> None:
    """Draft root: who must sign policies. Again, with other signers, for the next root."""
    from receiver import clock, policy_keys, policy_publish, site

    signers = [policy_keys.read_public(path) for path in signer]
    draft = policy_publish.draft_root(tuf_of(directory), signers, site.online_key(directory), clock.now() + timedelta(days=days))
    version = len(draft.roots) + 1
    _put_draft(out or Path(f"root-{version}.draft"), draft, f"root {version}")


@cli.command("example")
def example() -> None:
    """Print a policy to start from. 200 programs and sites of work; take out what you do not need, and fill in what says REPLACE."""
    typer.echo(files("receiver").joinpath("policy.example.json").read_text("utf-8"), nl=False)


@cli.command("propose")
def propose(
    directory: Directory,
    policy: Annotated[Path, typer.Argument(metavar="FILE", help="The policy, JSON.")],
    days: Days = 90,
    root: Annotated[Path | None, typer.Option("--root", metavar="DRAFT", help="The draft of a root to be published with it.")] = None,
    out: Out = None,
) -> None:
    """Draft the next policy. It is checked as an agent would."""
    from receiver import clock, policy_publish
    from receiver.policy_reading import check_filled_in, check_retention

    raw = read_file(policy)
    check_filled_in(policy, raw)
    check_retention(policy_of(policy))
    expires = clock.now() + timedelta(days=days)
    draft = policy_publish.draft_policy(tuf_of(directory), raw, expires, read_draft(root) if root else None)
    version = policy_of(policy).version
    _put_draft(out or Path(f"policy-{version}.draft"), draft, f"policy {version}")


@cli.command("sign")
def sign(
    draft: Annotated[Path, typer.Argument(metavar="DRAFT", help="The draft's file; your signature is added to it.")],
    key: Annotated[Path, typer.Option(metavar="FILE", help="Your NAME.key.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask: it has been read.")] = False,
) -> None:
    """Sign a draft, after reading what it changes. On the signer's own machine; nothing else is needed there."""
    from receiver import policy_draft, policy_keys, policy_words
    from transport import disk

    read, private = read_draft(draft), policy_keys.read_private(key)
    checked = policy_draft.check(read)
    if isinstance(checked, policy_draft.PolicyDraft):
        check_notice(checked.policy)
    _say(policy_words.draft(checked))
    groups = checked.groups(private.signer.key.keyid)
    if not groups:
        raise ReceiverError("this key is in no group that must sign this draft", "sign with a key that root names")
    if not yes:
        _ask(f"Sign it, as {private.signer.name}, for {', '.join(groups)}?")
    signed = policy_draft.signed(read, private.open(passphrases.ask() if private.sealed else None))
    disk.put(draft, policy_draft.encode(signed))
    lacking = policy_draft.check(signed).lacking()
    typer.echo(f"signed for {', '.join(groups)}; " + (f"still missing: {', '.join(lacking)}" if lacking else "each group has signed"))


@cli.command("publish")
def publish(
    directory: Directory,
    draft: Annotated[list[Path], typer.Argument(metavar="DRAFT", help="A draft; a root and a policy may be published together.")],
) -> None:
    """Publish what each group has signed. A receiver in service takes it up by itself."""
    from receiver import clock, policy_publish, settings, site

    online = site.online_key(directory)
    lifetime = timedelta(seconds=settings.read(directory / site.SETTINGS).lease_s)
    done = policy_publish.publish(tuf_of(directory), [read_draft(path) for path in draft], online, clock.now(), lifetime)
    if done.until is None:
        typer.echo(f"root {done.root} is published; no policy yet")
    else:
        typer.echo(f"policy {done.policy} is in force, under root {done.root}; lease until {done.until:%Y-%m-%d %H:%M} UTC")
    typer.echo(f"agents pin {directory}/tuf/metadata/1.root.json; its fingerprint is\n{done.root_sha256}")


@cli.command("show")
def show(directory: Annotated[Path, typer.Argument(metavar="FOLDER", help="The receiver's folder.")] = Path()) -> None:
    """Show the policy in force, and who signs."""
    from receiver import policy_words

    published = published_in(directory)
    targets, root = published.targets(), published.root
    _say(policy_words.policy(policy_of(directory)))
    _say([f"targets {targets.version}, good until {targets.expires.date()}; root {root.version}, good until {root.expires.date()}"])
    _say(policy_words.groups(root))


@cli.command("diff")
def diff(old: Source, new: Source, as_json: AsJson = False) -> None:
    """Say what a policy asks for that another does not. Wider, narrower, or other."""
    from consent.compare import changes
    from receiver import policy_words

    found = changes(policy_of(old), policy_of(new))
    if as_json:
        typer.echo(json.dumps(policy_words.as_objects(found)))
    else:
        _say(policy_words.differences(found))


@cli.command("simulate")
def simulate(
    policy: Source,
    events: Annotated[Path, typer.Option(metavar="FILE", help="What `volens show --json` printed.")],
    as_json: AsJson = False,
) -> None:
    """Count what a policy would keep and refuse of recorded events. By the agent's own gate; for somebody who agrees to all of it."""
    from receiver import policy_simulate

    found = policy_of(policy)
    try:
        with events.open("rb") as lines:
            rows = policy_simulate.simulate(found, lines)
    except OSError as error:
        raise ReceiverError(f"{events} cannot be read ({error.strerror})", "record it: volens show --json > FILE") from None
    if as_json:
        keys = ("surface", "kind", "outcome", "events", "n")
        typer.echo(json.dumps([{key: getattr(row, key) for key in keys} for row in rows]))
    else:
        _say(policy_simulate.table(rows))


@cli.command("record")
def record(
    directory: Directory,
    profile: Annotated[
        str, typer.Option(metavar="PLACE", help="eu, de, uk, ny, ct, delaware, ca; any other place gets the strictest of all.")
    ] = "",
) -> None:
    """Print the papers that go with the policy in force. Record of processing, impact assessment, notice: drafts, not legal advice."""
    from consent import register
    from receiver import policy_record

    places = files("receiver").joinpath("places.toml").read_text("utf-8")
    published = published_in(directory)
    found = policy_of(directory)
    if profile not in (known := policy_record.names(places)):
        typer.echo(f"volens-receiver: the place is none of {', '.join(known)}: printed is the strictest of all", err=True)
    from consent.groups import groups_of

    entries = register.parse(files("consent").joinpath("register.toml").read_text("utf-8"))
    until = published.targets().expires.date().isoformat()
    basis = policy_record.Basis(found, entries, tuple(groups_of(published.root)), until, policy_record.profile(places, profile))
    typer.echo(policy_record.whole(basis), nl=False)


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        typer.echo(line)


def _put_draft(path: Path, draft: object, what: str) -> None:
    from receiver import policy_draft, policy_words
    from transport import disk

    assert isinstance(draft, policy_draft.Draft)
    checked = policy_draft.check(draft)
    try:
        disk.write_new(path, policy_draft.encode(draft))
        disk.sync_folder(path.parent)
    except FileExistsError:
        raise ReceiverError(f"{path} is there already and is not written over", "name another file with --out") from None
    except OSError as error:
        raise ReceiverError(f"{path} cannot be written ({error.strerror})", "name a file that you may write with --out") from None
    _say(policy_words.draft(checked))
    typer.echo(f"{path}: {what}, drafted; to be signed by: {', '.join(checked.lacking())}")


def _ask(question: str) -> None:
    if not sys.stdin.isatty():
        raise ReceiverError("nobody is there to ask", "sign on a terminal, or say --yes once you have read it")
    if not typer.confirm(question):
        raise ReceiverError("nothing was signed", "sign when you agree")
