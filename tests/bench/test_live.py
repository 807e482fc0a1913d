"""The bench on a real display, in its short form."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.live

ROOT = Path(__file__).parents[2]
BURN = "sum(i * i for i in range(3_000_000))"


def test_the_reaper_counts_what_an_orphan_used() -> None:
    """A grandchild that outlives its parent, and ends by itself, is in the sum."""
    orphan = f"import os\nif os.fork() == 0:\n os.setsid()\n {BURN}\n"
    used = {}
    for name, code in (("orphan", orphan), ("nothing", "pass")):
        done = subprocess.run(
            [sys.executable, "-m", "bench.reaper", sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
        )
        used[name] = json.loads(done.stdout)["user_s"]
    assert used["orphan"] > used["nothing"] + 0.05


def bench(only: str) -> dict[str, Any]:
    """The one run of a bench that plays four seconds."""
    command = [sys.executable, "-m", "bench", "--only", only, "--seconds", "4", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    (run,) = json.loads(done.stdout)["runs"]
    assert isinstance(run, dict)
    return run


@pytest.mark.skipif(find_spec("pynput") is None, reason="the bare listener is installed by ./dev bench only")
def test_the_bare_listener_sees_everything_that_is_injected() -> None:
    """A short run on a private display prints one object in which recall is complete."""
    run = bench("pynput")
    assert run["seen"] == run["injected"] > 20
    assert run["acts"]["keys"] == [run["acts"]["keys"][1]] * 2
    assert run["life_cpu_s"] > 0


@pytest.mark.soak
@pytest.mark.skipif(find_spec("pynput") is None, reason="the naive logger needs pynput, which is installed by ./dev bench only")
def test_the_naive_logger_writes_everything_that_is_injected() -> None:
    """The same short run: a line for every input, and more bytes than the agent would hold."""
    run = bench("jsonl")
    assert run["seen"] == run["injected"] > 20
    assert run["held_bytes"] > 40 * run["injected"]


@pytest.mark.soak
@pytest.mark.skipif(find_spec("pynput") is None, reason="the bare listener is installed by ./dev bench only")
def test_no_key_is_swallowed_whoever_listens() -> None:
    """A hundred keys for each contestant, pressed and released: all of them come."""
    command = [sys.executable, "-m", "bench.delay", "--keys", "100", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert [one["delivered"] for one in json.loads(done.stdout)] == [200] * 3, done.stderr


def test_the_agent_sees_everything_that_is_injected_and_keeps_some_of_it() -> None:
    """A short run with the whole agent on a private display prints the same object; what it did not keep has a reason."""
    run = bench("volens")
    assert run["seen"] == run["injected"] > 20
    assert run["acts"]["keys"][0] > 0
    assert run["refused"]["no_kind"] > 0
    assert 0 < run["held_bytes"] < run["kept_bytes"]
    assert run["kept_raw"] + sum(run["refused"].values()) == run["injected"]
    assert {"main process", "observer", "icon"} <= set(run["parts"])
