"""Reads what came out at the far end: the opened steps, and the receiver's own rows."""

import json
import sqlite3
from collections import Counter
from pathlib import Path

from agent.demo.errors import DemoError
from agent.demo.findings import Opened, Received, acts_of, places_of


def read_opened(folder: Path) -> Opened:
    """Read `steps.jsonl` and `access.json`."""
    steps = [json.loads(line) for line in (folder / "steps.jsonl").read_text("utf-8").splitlines()]
    batches = json.loads((folder / "access.json").read_bytes())["batches"]
    acts: Counter[tuple[str, str, str]] = Counter()
    for step in steps:
        acts.update(acts_of(step))
    raw = sum(int(step["n"]) for step in steps)
    surfaces = frozenset(step["surface"] for step in steps if step["surface"])
    in_time = sorted(steps, key=lambda step: step["time"])  # a demo at midnight has two trajectories
    places = tuple(place for step in in_time for place in places_of(step))
    return Opened(len(batches), len(steps), raw, acts, surfaces, places)


def read_received(receiver: Path) -> Received:
    """Count the rows of the receiver's database, beside the receiver."""
    files = list(receiver.rglob("*.db"))
    if len(files) != 1:
        raise DemoError("the receiver's database is not where it should be", "report this")
    database = sqlite3.connect(f"file:{files[0]}?mode=ro", uri=True)
    try:
        batches, size = database.execute("select count(*), coalesce(sum(envelope_bytes), 0) from batch where not erased").fetchone()
    finally:
        database.close()
    return Received(int(batches), int(size))
