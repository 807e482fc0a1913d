"""`volens-receiver token`: make, list and revoke fleet tokens. Refuses to show a token twice, or how many devices one let in."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from receiver.errors import ReceiverError

cli = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Fleet tokens: what a device needs to join.")

Directory = Annotated[Path, typer.Argument(metavar="FOLDER", help="The receiver's folder.")]


@cli.command("create")
def create(
    directory: Directory,
    days: Annotated[int, typer.Option(min=1, max=366, metavar="NUMBER", help="How many days it lets devices in.")] = 30,
    note: Annotated[str, typer.Option(metavar="TEXT", help="What it is for; no names of people.")] = "",
) -> None:
    """Make a token and print it, this once."""
    from receiver import clock, enrolment, fleet_rows
    from receiver.site import open_site

    if len(note) > 200 or not (note == "" or note.isprintable()):
        raise typer.BadParameter("a note is one line of at most 200 characters")
    text = enrolment.token_text(os.urandom(enrolment.TOKEN_BYTES))
    with open_site(directory).engine.begin() as connection:
        token = fleet_rows.add_token(connection, enrolment.token_digest(text), note, clock.now().date() + timedelta(days=days))
    typer.echo(f"token {token.id}, good through {token.last_day}, shown this once:\n{text}")


@cli.command("list")
def list_(directory: Directory) -> None:
    """Show every token: number, state, last day, note."""
    from receiver import clock, fleet_rows
    from receiver.site import open_site

    today = clock.now().date()
    with open_site(directory).engine.connect() as connection:
        for token in fleet_rows.tokens(connection):
            typer.echo(f"{token.id}\t{token.state(today)}\t{token.last_day}\t{token.note}")


@cli.command("revoke")
def revoke(
    directory: Directory,
    token: Annotated[int, typer.Argument(min=1, max=2**31 - 1, metavar="NUMBER", help="Its number.")],
    with_devices: Annotated[bool, typer.Option("--with-devices", help="Put out the devices, too, that it let in.")] = False,
) -> None:
    """End a token: from now on it lets nobody in."""
    from receiver import clock, fleet_rows
    from receiver.site import open_site

    with open_site(directory).engine.begin() as connection:
        if not fleet_rows.revoke(connection, token, clock.now().date(), devices=with_devices):
            raise ReceiverError(f"there is no token {token}", "`volens-receiver token list` shows them")
    typer.echo(f"token {token} is revoked" + (", and the devices that it let in are out" if with_devices else ""))
