"""The bench on a real display, in its short form."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

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


@pytest.mark.skipif(find_spec("pynput") is None, reason="the bare listener is installed by ./dev bench only")
def test_the_bare_listener_sees_everything_that_is_injected() -> None:
    """A short run on a private display prints one object in which recall is complete."""
    command = [sys.executable, "-m", "bench", "--only", "pynput", "--seconds", "4", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120)
    (run,) = json.loads(done.stdout)["runs"]
    assert run["seen"] == run["injected"] > 20
    assert run["life_cpu_s"] > 0
