"""What the demo says while it runs and at its end: one line a stage, then a table in plain words, or one JSON object."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.table import Table

from agent.demo.clock import elapsed_s
from agent.demo.reconcile import Evidence, checks, result, shortfall
from agent.demo.truth import Phase
from consent.vocabulary import WHY_WORDS, Why


class Report:
    """Progress and end, on a terminal."""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self._console = Console(stderr=as_json, highlight=False)

    @contextmanager
    def stage(self, what: str) -> Iterator[None]:
        """One stage of the demo: its line gets a tick when it is done."""
        begun_s = elapsed_s()
        try:
            with self._console.status(what):  # on a terminal only
                yield
        except BaseException:
            self._line("[red]✗[/red]", what)
            raise
        self._line("[green]✓[/green]", f"{what} [dim]({elapsed_s() - begun_s:.1f} s)[/dim]")

    def _line(self, mark: str, words: str) -> None:
        """A mark and words, wrapped beside it."""
        row = Table.grid(padding=(0, 1))
        row.add_row(" ", mark, words)
        self._console.print(row)

    def begin(self) -> None:
        """What this is."""
        self._console.print(
            "[bold]Volens demo[/bold]: on a private screen that you do not see, with keys that are thrown away afterwards.\n"
        )

    def end(self, evidence: Evidence, files: int) -> bool:
        """The table or the object; returns whether all is well."""
        whole = result(evidence)
        if self._as_json:
            json.dump(whole, sys.stdout)
            sys.stdout.write("\n")
        else:
            self._console.print()
            self._console.print(_table(evidence, files))
        for sentence, holds in checks(evidence).items():
            if not holds or not self._as_json:
                self._line("[green]✓[/green]" if holds else "[red]✗[/red]", sentence if holds else f"[red]not so:[/red] {sentence}")
        for where, n in evidence.hits.items():
            self._line("[red]✗[/red]", f"[red]found what was typed: {where} x{n}[/red]")
        for line in shortfall(evidence.truth.expected(evidence.allowed), evidence.opened.acts):
            self._console.print(f"      {line}")
        return bool(whole["consistent"]) and evidence.canary_hits == 0


def _table(evidence: Evidence, files: int) -> Table:
    truth, tally, opened = evidence.truth, evidence.status.tally, evidence.opened
    table = Table(title="What became of everything that was typed and clicked", title_justify="left", show_header=False)
    table.add_column(justify="left")
    table.add_column(justify="right")
    acts = ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in truth.counts().items() if n)
    table.add_row(f"Done on the private screen, in raw inputs\n[dim]{acts}[/dim]", str(truth.raw()))
    table.add_row("  before anybody had said yes: not seen", str(truth.raw(Phase.BEFORE)))
    table.add_row("  during a pause: not seen", str(truth.raw(Phase.PAUSED)))
    table.add_row("  while recording was on: seen", str(tally.seen), end_section=True)
    for why, n in sorted(tally.refused.items(), key=lambda item: -item[1]):
        table.add_row(f"    refused: {WHY_WORDS[Why(why)]}", str(n))
    kept = result(evidence)["kept"]
    table.add_row("    kept: clicks, wheel, named keys, typing without its text", str(kept), end_section=True)
    table.add_row("Sealed, sent and received, in encrypted batches", str(evidence.received.batches))
    table.add_row("Opened by two of three custodians, in steps", str(opened.steps), end_section=True)
    hits = evidence.canary_hits
    colour = "green" if hits == 0 else "red"
    row = f"What was typed, found in {files} files in any usual encoding"
    table.add_row(row, f"[{colour}]{hits}[/{colour}]")
    return table
