"""A terminal for people: a long text page by page, a status that stays in one place. Where there is no terminal, just lines."""

import shutil
import sys
from collections.abc import Iterable, Iterator

import typer

from agent import show
from agent.status import Status

READ = "read"
"""The word that acknowledges a notice."""


def read(text: str) -> None:
    """A text to be read: page by page on a terminal that is lower than it."""
    lines, rows = text.splitlines(), shutil.get_terminal_size().lines
    a_page = max(rows - 2, 1) if sys.stdin.isatty() and sys.stdout.isatty() else len(lines)
    for start in range(0, len(lines), a_page):
        typer.echo("\n".join(lines[start : start + a_page]))
        if start + a_page < len(lines):
            typer.prompt("(Enter: read on)", default="", show_default=False, prompt_suffix=" ")


def acknowledged() -> bool:
    """Whether the person says that they have read what was just shown."""
    asked = f"I have read this notice, which is not yet a yes (type {READ}; empty: no)"
    return str(typer.prompt(asked, default="", show_default=False)).strip().casefold() == READ


def code() -> str:
    """The consent code as a person types it; empty for no."""
    asked = "To say yes, type the code at the top of your screen (empty: no)"
    return str(typer.prompt(asked, default="", show_default=False)).strip()


def watch(reports: Iterable[Status]) -> Iterator[Status]:
    """The status at every change: in one place on a terminal, one below the other elsewhere. Yields what was shown."""
    console = show.console()
    if not console.is_terminal:
        for report in reports:
            show.status(report)
            yield report
        return
    from rich.console import Group
    from rich.live import Live

    with Live(console=console, auto_refresh=False) as live:
        for report in reports:
            live.update(Group(*show.status_lines(report, console.width)), refresh=True)
            yield report
