"""python -m bench.agents [--agents N] [--minutes N]: a fleet against one receiver with faults; nothing may be lost."""

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import service
from bench.agents.figures import lost, rows
from bench.agents.fleet import Account, Agent, Plan
from bench.agents.ground import Ground, stored
from bench.clock import elapsed_s

DRAIN_S = 240.0
"""After the last envelope was made: several back-offs in a row must fit."""
_PLACES = 8
"""Uploads at once, a quarter of the default: so that a fleet of this size is refused now and then."""


def main() -> int:
    """Run, print, and exit 1 if anything was lost."""
    parser = argparse.ArgumentParser(prog="./dev bench agents", description="A simulated fleet against one receiver, with faults.")
    parser.add_argument("--agents", type=int, default=500, metavar="N", help="%(default)s")
    parser.add_argument("--minutes", type=float, default=10.0, metavar="N", help="%(default)s")
    parser.add_argument(
        "--pace", type=float, default=30.0, metavar="SECONDS", help="mean time between envelopes of one agent (%(default)s)"
    )
    parser.add_argument("--kills", type=int, default=2, metavar="N", help="how often the receiver is killed (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="another course of events (%(default)s)")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    chosen = parser.parse_args()
    scratch = Path(tempfile.mkdtemp(prefix="volens-agents-"))
    try:
        account, ground, took_s = asyncio.run(_run(chosen, scratch))
        kept = stored(ground.directory)
    finally:
        shutil.rmtree(scratch)
    table, sentences = rows(account, ground, kept, took_s), lost(account, kept)
    if chosen.json:
        sys.stdout.write(json.dumps({"rows": dict(table), "lost": sentences}) + "\n")
    else:
        drawn = Table(title=f"{chosen.agents} simulated agents, {chosen.minutes:g} minutes", title_justify="left", show_header=False)
        for row in table:
            drawn.add_row(*row)
        Console(highlight=False).print(drawn, *sentences, sep="\n")
    return 1 if sentences else 0


async def _run(chosen: argparse.Namespace, scratch: Path) -> tuple[Account, Ground, float]:
    directory = service.make(scratch, f"max_in_flight = {_PLACES}\n")
    ground, account = Ground(directory, service.start(directory)), Account()
    began_s, for_s = elapsed_s(), chosen.minutes * 60
    plan = Plan(ground.served.address, chosen.pace, began_s + for_s, began_s + for_s + DRAIN_S, fault_share=0.03)
    watching = asyncio.create_task(ground.watch())
    killing = asyncio.create_task(_kill_now_and_then(ground, for_s, chosen.kills))
    try:
        await asyncio.gather(*(Agent(number, plan, account, chosen.seed).live() for number in range(chosen.agents)))
        await killing
        took_s = elapsed_s() - began_s
    finally:
        for task in (watching, killing):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        code = ground.end()
    if code != 0:
        raise RuntimeError(f"the receiver ended with {code}")
    return account, ground, took_s


async def _kill_now_and_then(ground: Ground, for_s: float, kills: int) -> None:
    for _ in range(kills):
        await asyncio.sleep(for_s / (kills + 1))
        await ground.kill_and_start()


if __name__ == "__main__":
    sys.exit(main())
