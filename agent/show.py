"""How answers look on a terminal: plain words and small tables. No payload that the person did not ask to see."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec
from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from agent.status import Status
from consent.event import Event
from consent.vocabulary import State

_MARKS = {
    State.CONSENTED: "[green]●[/green]",
    State.PAUSED: "[yellow]‖[/yellow]",
    State.EXEMPT: "[yellow]⊘[/yellow]",
    State.UNASKED: "○",
    State.WITHDRAWN: "○",
    State.BLOCKED: "[red]▲[/red]",
}


def _bytes(n: int) -> str:
    return f"{n} B" if n < 10_000 else f"{n / 1000:.1f} kB" if n < 1_000_000 else f"{n / 1_000_000:.1f} MB"


def _mark(report: Status) -> str:
    return _MARKS[report.standing] if report.running else "○"


def status(report: Status) -> None:
    """The status as a small table."""
    console = Console(highlight=False)
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_row("", f"{_mark(report)} {report.words}")
    if report.trial:
        table.add_row("trial", "a local trial with throw-away keys; nothing leaves this machine")
    table.add_row("icon", f"{report.indicator.form} is visible" if report.indicator.live else "not visible: nothing is recorded")
    expires = f", until {report.policy.expires}" if report.policy.expires else ""
    table.add_row("policy", f"version {report.policy.version}{expires}" if report.policy.version else "none")
    table.add_row("consent", f"receipt {report.receipt.id}" if report.receipt.id else "none")
    oldest = f", the oldest for {report.hold.oldest_s // 60} minutes" if report.hold.oldest_s is not None else ""
    table.add_row("held here", f"{report.hold.events} events, {_bytes(report.hold.bytes)}{oldest} (key: {report.keystore})")
    table.add_row("waiting", f"{report.outbox.envelopes} envelopes, {_bytes(report.outbox.bytes)}")
    table.add_row("sent", f"{report.sent.batches} batches, {_bytes(report.sent.bytes)}")
    tally = report.tally
    table.add_row("raw inputs", f"{tally.seen} seen = {sum(tally.refused.values())} refused + {_kept(report)}")
    for why, n in sorted(tally.refused.items(), key=lambda item: -item[1]):
        table.add_row("", f"{n} refused: {why.replace('_', ' ')}")
    for collector in report.collectors:
        if collector.state != "live":
            table.add_row("", f"{collector.kind}: {collector.state} {collector.why}")
    console.print(table)


def _kept(report: Status) -> str:
    tally = report.tally
    return f"{tally.pending} pending + {tally.held} held + {tally.sealed} sealed + {tally.sent} sent + {tally.forgotten} forgotten"


def plain(event: Event) -> dict[str, Any]:
    """An event as a flat object of words and numbers, for JSON and tables."""
    at = datetime.fromtimestamp(event.at.wall_ms / 1000, UTC).isoformat(timespec="milliseconds")
    payload = {name: msgspec.to_builtins(getattr(event.payload, name)) for name in event.payload.__struct_fields__}
    return {"at": at, "kind": event.kind.value, "surface": event.surface, "window": event.window, "n": event.n} | payload


def held(events: Iterable[Event]) -> None:
    """Held events as a table, oldest first."""
    console = Console(highlight=False)
    table = Table("when", "kind", "where", "what", box=None, padding=(0, 2, 0, 0))
    count = 0
    for count, event in enumerate(events, 1):  # noqa: B007
        row = plain(event)
        what = ", ".join(f"{name} {value}" for name, value in row.items() if name not in ("at", "kind", "surface", "window", "n"))
        table.add_row(row["at"], row["kind"], row["surface"] or "-", what)
    console.print(table if count else "Nothing is held.")


_RECOVERY = """\
[bold]{code}[/bold]

This is your recovery code. It opens everything that is ever sent of you, from any computer, and erases it.
It is shown only now and kept nowhere: write it down. Nobody else has it."""


def given(receipt_id: str, recovery_code: str | None) -> None:
    """The yes was recorded; the recovery code, once."""
    console = Console(highlight=False)
    console.print(f"Your yes is recorded (receipt {receipt_id}; print it with: volens consent receipt).")
    if recovery_code:
        console.print(Panel(_RECOVERY.format(code=recovery_code), expand=False))
    console.print("Stop at any time: the icon's menu, or volens consent withdraw.")
