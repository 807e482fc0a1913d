"""The whole main job, once, on real input."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.live

LONGEST_S = 120


def test_the_whole_main_job_reconciles_and_nothing_typed_is_found(tmp_path: Path) -> None:
    """With a new home and next to no environment, `volens demo --json` exits 0, prints the object of the contract, and leaves nothing."""
    command = [sys.executable, "-I", "-m", "agent.home", "agent", "demo", "--json"]
    with tempfile.TemporaryDirectory(prefix="t-") as temporary:  # of its own: the demo searches all that is new there; and a short path
        env = {"HOME": str(tmp_path), "PATH": "/usr/local/bin:/usr/bin:/bin", "TMPDIR": temporary}
        done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=LONGEST_S, check=False)
        left = os.listdir(temporary)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert set(told) == {"injected", "seen", "refused", "kept", "held", "sent", "received", "opened", "canary_hits", "consistent"}
    assert told["consistent"] is True
    assert told["canary_hits"] == 0
    assert {"secure_field", "surface_not_allowed"} <= set(told["refused"])
    assert list(tmp_path.iterdir()) == []
    assert left == []
