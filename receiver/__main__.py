"""`volens-receiver`: make, serve and check a receiver. Refuses in one line: what is wrong, and what to do."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from receiver.errors import ReceiverError

cli = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help="The service that takes envelopes in.")

Directory = Annotated[Path, typer.Argument(help="the receiver's folder")]


@cli.command("init")
def init_command(
    directory: Directory,
    trial: Annotated[bool, typer.Option("--trial", help="throw-away keys, loopback only")] = False,
    policy: Annotated[Path | None, typer.Option("--policy", help="policy to publish in the trial")] = None,
) -> None:
    """Makes a receiver's folder: keys, database, stores, TUF repository."""
    if trial != (policy is not None):
        raise typer.BadParameter("--trial and --policy go together: who may publish a policy otherwise is not made here")
    from receiver import clock, site

    fingerprint = site.init(directory, trial_policy=_read(policy) if policy else None, now=clock.now())
    if fingerprint:
        typer.echo(f"trial receiver in {directory}; root fingerprint {fingerprint}; root file {directory}/tuf/metadata/1.root.json")
    else:
        typer.echo(f"receiver in {directory}; it takes nothing in before a policy is published in {directory}/tuf")


@cli.command("serve")
def serve_command(
    directory: Directory,
    host: Annotated[str, typer.Option(help="address to bind")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free one")] = 0,
    ready_fd: Annotated[int, typer.Option(min=1, help="descriptor that gets one JSON line when it listens")] = 1,
) -> None:
    """Serves until SIGTERM, then finishes what is in flight."""
    from receiver.serve import serve

    serve(directory, host, port, ready_fd)


@cli.command("check")
def check_command(directory: Directory) -> None:
    """Verifies hash, signature and row of every stored envelope, and the access log."""
    from receiver.check import check
    from receiver.site import open_site

    report = check(open_site(directory))
    for sentence in report.wrong:
        typer.echo(f"volens-receiver: {sentence}; restore it from a backup", err=True)
    typer.echo(f"sound {report.sound}, erased {report.erased}, unfinished {report.unfinished}, wrong {len(report.wrong)}")
    if report.wrong:
        raise typer.Exit(1)


def _read(policy: Path) -> bytes:
    try:
        return policy.read_bytes()
    except OSError as error:
        raise ReceiverError(f"{policy} cannot be read ({error.strerror})", "name the policy's file") from None


def main() -> None:
    """Runs a command; an error of ours is one line and exit 1."""
    os.umask(0o077)
    try:
        cli(prog_name="volens-receiver")
    except ReceiverError as error:
        sys.stderr.write(f"volens-receiver: {error}\n")
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
