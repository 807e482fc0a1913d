"""python -m bench.ingest [--rounds N] [--count N] [--connections N] [--json]: one receiver beside nginx and the disk, in one run."""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.ingest import pool, spans
from bench.ingest.contestants import Append, Contestant, Files, Load, Nginx, Receiver
from bench.ingest.figures import BAR, HEADS, Round, ratio, rows, summary

SIZES = {"64 KiB": 64 * 1024, "200 KiB": 200 * 1024}
CONTESTANTS: tuple[Contestant, ...] = (Receiver(), Nginx(), Files(), Append())
Measured = dict[str, list[Round]]


def main() -> int:
    """Measure, and print the tables or the object."""
    parser = argparse.ArgumentParser(prog="./dev bench ingest", description="How fast one receiver takes envelopes in.")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="how often each is measured, in turns (%(default)s)")
    parser.add_argument("--count", type=int, default=2000, metavar="N", help="envelopes of 64 KiB in a round; half of it of 200 KiB")
    parser.add_argument("--connections", type=int, default=32, metavar="N", help="requests under way at any time (%(default)s)")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.add_argument("--folder", type=Path, help="on the disk that is to be measured (the system's folder for what is temporary)")
    chosen = parser.parse_args()
    scratch = _spread(Path(tempfile.mkdtemp(dir=chosen.folder, prefix="volens-ingest-")))
    console = Console(highlight=False, stderr=chosen.json)
    everything: dict[str, object] = {}
    try:
        for words, size in SIZES.items():
            count = chosen.count if size < 100_000 else chosen.count // 2
            pool.make(scratch / "pool", size, count)
            load = Load(scratch / "pool", size, chosen.connections)
            measured = _in_turns(load, scratch, chosen.rounds)
            share = ratio(measured[Receiver.name], measured[Nginx.name])
            found = spans.measure(_fresh(scratch), load)
            _show(console, f"{count} envelopes of {words}, {chosen.connections} at once, {chosen.rounds} rounds", measured, share, found)
            everything[words] = {"of_nginx": share, "spans": found, "rounds": {name: summary(each) for name, each in measured.items()}}
    finally:
        shutil.rmtree(scratch)
    if chosen.json:
        sys.stdout.write(json.dumps(everything) + "\n")
    return 0


def _in_turns(load: Load, scratch: Path, rounds: int) -> Measured:
    """Everybody once, then everybody again: what changes with the hour changes for all."""
    measured: Measured = {each.name: [] for each in CONTESTANTS}
    for _ in range(rounds):
        for each in CONTESTANTS:
            measured[each.name].append(each.measure(_fresh(scratch), load))
    return measured


def _spread(scratch: Path) -> Path:
    """Asks ext4 to lay out each folder below somewhere else; nothing is deleted before the end either.

    A new file near others that were deleted within five minutes costs ext4 up to 30 times as much; whoever is next would pay for it.
    """
    with suppress(OSError):
        subprocess.run(["chattr", "+T", str(scratch)], check=False, stderr=subprocess.DEVNULL)
    return scratch


def _fresh(scratch: Path) -> Path:
    return Path(tempfile.mkdtemp(dir=scratch))


def _show(console: Console, title: str, measured: Measured, share: float, found: list[tuple[str, float, float]]) -> None:
    drawn = Table(title=title, title_justify="left", caption="CPU: of the server, each envelope; client: its share of one core")
    for head in HEADS:
        drawn.add_column(head, no_wrap=True, justify="right" if head else "left")
    for row in rows(measured):
        drawn.add_row(*row)
    console.print(drawn)
    console.print(f"the receiver takes {share:.2f} of what nginx takes without fsync; the bar is {BAR}")
    where = Table("where it goes (another round, with spans)", "CPU us each", "wall us each")
    for name, cpu_us, wall_us in found:
        where.add_row(name, f"{cpu_us:.0f}", f"{wall_us:.0f}" if wall_us else "")
    console.print(where)


if __name__ == "__main__":
    sys.exit(main())
