"""The ingest bench: its numbers from known rounds, and each contestant that needs nothing installed, in its shortest form."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.ingest import pool, spans
from bench.ingest.contestants import Append, Files, Load, Receiver
from bench.ingest.figures import Round, percentile, ratio, rows
from bench.service import ROOT
from transport.envelope import parse


def _round(elapsed_s: float) -> Round:
    return Round(100, 1_000_000, elapsed_s, tuple(n / 1000 for n in range(1, 101)), 0.05, 0.2)


def test_the_ratio_is_of_rounds_that_ran_beside_each_other() -> None:
    """A round in which the machine was slow for both counts as any other."""
    assert ratio([_round(1.0), _round(10.0), _round(1.0)], [_round(0.5), _round(5.0), _round(2.0)]) == 0.5


def test_the_table_shows_medians() -> None:
    """Envelopes and bytes a second, percentiles of latency, CPU an envelope."""
    assert rows({"one": [_round(1.0), _round(2.0), _round(2.0)]}) == [["one", "50", "0", "51.0", "100.0", "500", "20%"]]
    assert percentile([], 0.5) == 0


@pytest.mark.parametrize("contestant", [Receiver(), Files(), Append()], ids=lambda each: each.name)
def test_every_envelope_is_taken(tmp_path: Path, contestant: Receiver | Files | Append) -> None:
    """Twenty real envelopes, four at once: all stored, or the round is none."""
    load = _load(tmp_path)
    measured = contestant.measure(tmp_path, load)
    assert measured.count == len(measured.latencies_s) == 20
    assert measured.server_cpu_s > 0


def test_spans_add_up_to_the_whole(tmp_path: Path) -> None:
    """Each part of an upload has a span, and what they leave is said."""
    found = {name: cpu_us for name, cpu_us, _ in spans.measure(tmp_path, _load(tmp_path))}
    assert {"SHA-256", "layout and Ed25519", "HTTP", "rows: commit", "fsync of files and folders", "the rest"} < set(found)
    assert found.pop("all") == pytest.approx(sum(found.values()))


def _load(folder: Path) -> Load:
    places = pool.make(folder / "pool", 64 * 1024, 20)
    with (folder / "pool").open("rb") as file:
        assert all(parse(file.read(place.length_bytes)).id == place.id for place in places)
    assert all(60_000 < place.length_bytes < 72_000 for place in places)
    return Load(folder / "pool", 64 * 1024, 4)


def test_a_small_fleet_loses_nothing() -> None:
    """Eight agents for three seconds, faults and one kill -9 among them: every envelope is stored exactly once."""
    command = [sys.executable, "-m", "bench.agents", "--agents", "8", "--minutes", "0.05", "--pace", "0.3", "--kills", "1", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr + done.stdout
    said = json.loads(done.stdout)
    assert said["lost"] == []
    assert said["rows"]["receiver killed with -9 and started again"] == "1"
    assert int(said["rows"]["stored and sound, by `volens-receiver check`"]) > 20
