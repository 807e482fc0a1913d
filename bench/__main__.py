"""python -m bench [--seconds N] [--only NAME] [--json]: the agent beside a bare listener and a naive logger, on the same work."""

import argparse
import math
import sys

from rich.console import Console

from agent.errors import AgentError
from bench.recorders import Agent, Listener, Logger, Nothing, Recorder
from bench.run import run
from bench.schedule import SEED, workload
from bench.table import as_json, shortfalls, table

RECORDERS: dict[str, type[Nothing | Listener | Agent]] = {"nothing": Nothing, "pynput": Listener, "jsonl": Logger, "volens": Agent}


def main() -> int:
    """Measure, and print the table or the object."""
    parser = argparse.ArgumentParser(prog="./dev bench", description="CPU, memory, wake-ups, bytes and recall on a fixed workload.")
    parser.add_argument("--seconds", type=float, default=math.inf, metavar="N", help="only the first N seconds of the workload")
    parser.add_argument("--seed", type=int, default=SEED, metavar="N", help="another workload (%(default)s)")
    parser.add_argument("--only", choices=RECORDERS, action="append", help="only this; may be given again")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    chosen = parser.parse_args()
    work = workload(chosen.seed, chosen.seconds)
    progress = Console(stderr=True, highlight=False)
    runs = []
    for name in chosen.only or RECORDERS:
        recorder: Recorder = RECORDERS[name]()
        progress.print(f"{recorder.name}: {work.seconds:.0f} s of work")
        runs.append(run(recorder, work))
    if chosen.json:
        sys.stdout.write(as_json(runs, work.seconds, chosen.seed) + "\n")
    else:
        out = Console(highlight=False)
        out.print(table(runs, work.seconds))
        for line in (line for one in runs for line in shortfalls(one)):
            out.print(line)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except AgentError as error:
        sys.exit(f"bench: {error}")
