"""`volens-receiver`: make, serve and check a receiver. Refuses in one line: what is wrong, and what to do."""

import os
import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer

from receiver import exemption_commands, policy_commands, tokens
from receiver.errors import ReceiverError

cli = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="The service that takes envelopes in.",
)

cli.add_typer(tokens.cli, name="token")
cli.add_typer(policy_commands.cli, name="policy")
cli.add_typer(exemption_commands.cli, name="exemptions")

Directory = Annotated[Path, typer.Argument(metavar="FOLDER", help="The receiver's folder.")]


@cli.command("init")
def init_command(
    directory: Directory,
    trial: Annotated[bool, typer.Option("--trial", help="Throw-away keys, loopback only.")] = False,
    policy: Annotated[Path | None, typer.Option("--policy", metavar="FILE", help="The policy to publish in the trial.")] = None,
) -> None:
    """Make a receiver's folder: keys, database, stores, TUF."""
    if trial != (policy is not None):
        raise typer.BadParameter(
            "--trial and --policy go together: otherwise it is published with `policy init`, `propose`, `sign` and `publish`"
        )
    from receiver import clock, site

    fingerprint = site.init(directory, trial_policy=_read(policy) if policy else None, now=clock.now())
    if fingerprint:
        typer.echo(f"trial receiver in {directory}; root fingerprint {fingerprint}; root file {directory}/tuf/metadata/1.root.json")
    else:
        typer.echo(f"receiver in {directory}; it takes nothing in before a policy is published: volens-receiver policy init")


@cli.command("serve")
def serve_command(
    directory: Directory,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="The address to bind.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, metavar="NUMBER", help="0: any free one.")] = 0,
    ready_fd: Annotated[int, typer.Option(min=1, metavar="NUMBER", help="The descriptor that gets one JSON line when it listens.")] = 1,
) -> None:
    """Serve until SIGTERM, then finish what is in flight."""
    from receiver.serve import serve

    serve(directory, host, port, ready_fd)


@cli.command("check")
def check_command(directory: Directory) -> None:
    """Verify what is stored. Hash, signature, row and retention of every envelope, both logs, and the registrations."""
    from receiver import clock
    from receiver.check import check
    from receiver.site import open_site

    site = open_site(directory)
    report = check(site, clock.now().date())
    mend = "run `volens-receiver repair`, or restore it from a backup" if site.vault.replica else "restore it from a backup"
    for sentence in report.wrong:
        typer.echo(f"volens-receiver: {sentence}; {mend}", err=True)
    if site.vault.replica is None and not site.settings.trial:
        typer.echo("volens-receiver: slots have one copy, and no backup holds them; name a second folder as slots_replica", err=True)
    typer.echo(f"sound {report.sound}, erased {report.erased}, unfinished {report.unfinished}, wrong {len(report.wrong)}")
    if report.wrong:
        raise typer.Exit(1)


@cli.command("repair")
def repair_command(directory: Directory) -> None:
    """Make both copies of slots sound. Each from the other; and makes the replica's folder where there is none."""
    from receiver import replica
    from receiver.site import lock, make_replica, open_site

    held = lock(directory)
    try:
        made = make_replica(directory)
        done = replica.repair(open_site(directory))
    finally:
        os.close(held)
    typer.echo(f"{'replica made, ' if made else ''}slots copied {done.copied}, beyond repair {done.lost}")
    if done.lost:
        raise typer.Exit(1)


@cli.command("backup")
def backup_command(directory: Directory, target: Annotated[Path, typer.Argument(help="Where backups are, one folder a day.")]) -> None:
    """Copy bodies and rows. Never slots or the erasure log; destroys the backups whose days are over."""
    from receiver import backup, clock
    from receiver.site import open_site

    made = backup.make(open_site(directory), target, clock.now().date())
    typer.echo(f"bodies {made.bodies}, older backups destroyed {made.destroyed}")


@cli.command("restore")
def restore_command(directory: Directory, source: Annotated[Path, typer.Argument(help="The backup of a day.")]) -> None:
    """Put a backup in place. Erases again what was erased since it was made."""
    from receiver import app, backup, clock
    from receiver.site import lock, open_site

    held = lock(directory)
    try:
        backup.restore(open_site(directory, with_rows=False), source, clock.now().date())
        app.prepare(open_site(directory))
    finally:
        os.close(held)
    typer.echo("restored; what was erased since then is erased again; run `volens-receiver check` before you serve")


def _read(policy: Path) -> bytes:
    try:
        return policy.read_bytes()
    except OSError as error:
        raise ReceiverError(f"{policy} cannot be read ({error.strerror})", "name the policy's file") from None


def main() -> None:
    """Runs a command. The process boundary: every error is one line on stderr, exit 2 for usage and 1 for anything else."""
    os.umask(0o077)
    try:
        code = cli(prog_name="volens-receiver", standalone_mode=False)
    except Exception as error:
        line, code = _complaint(error)
        sys.stderr.write(line)
    raise SystemExit(code)


def _complaint(error: Exception) -> tuple[str, int]:
    """What to say, and the exit code. Of an error that nobody foresaw only kind and place: its message could hold what came in."""
    if isinstance(error, ReceiverError):
        return f"volens-receiver: {error}\n", 1
    if isinstance(error, OSError):
        named = f"{error.filename}: " if isinstance(error.filename, str) else ""
        return f"volens-receiver: {named}{error.strerror}; look at the disk and at who owns this\n", 1
    if hasattr(error, "format_message"):
        said = str(error.format_message())
        if "\n" in said:  # the help of a command that was called without a word
            return f"{said}\n", 2
        return f"volens-receiver: {said[:1].lower()}{said[1:].rstrip('.')}; see: volens-receiver --help\n", 2
    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{type(error).__name__} in {Path(place.filename).name}:{place.lineno}"
    return f"volens-receiver: {where}, which is our fault; report this line\n", 1


if __name__ == "__main__":
    main()
