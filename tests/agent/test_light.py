"""What each process of the agent does not load: it would stay in memory for as long as the process lives, or make a command slow."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands import ROOT

HEAVY = "typer rich pydantic pydantic_core httpx keyring PIL cryptography tuf asyncio Xlib".split()
DAEMON = """
import sys, agent.run
agent.run.run_daemon = lambda *_, **__: 0
from agent.__main__ import main
sys.argv = ["volens", "run"]
try:
    main()
except SystemExit as ended:
    assert ended.code == 0
"""


def loaded_by(code: str, folder: Path) -> set[str]:
    """Which of the heavy packages a new process has loaded after this."""
    names = f"import sys; print(*sorted({{name.split('.')[0] for name in sys.modules}} & set({HEAVY!r})))"
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{names}"], cwd=folder, env=env, capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("code", "needed"),
    [
        pytest.param(DAEMON, {"cryptography", "tuf", "asyncio"}, id="the daemon"),
        pytest.param("import agent.tray.indicator", set(), id="the icon"),
        pytest.param("import collectors.observer", set(), id="the observer"),
        pytest.param("import agent.reach", set(), id="a command that asks a daemon"),
    ],
)
def test_a_process_loads_only_what_it_needs(code: str, needed: set[str], tmp_path: Path) -> None:
    """No command line in the daemon, no keys in icon and observer, neither in what asks a daemon how it is."""
    assert loaded_by(code, tmp_path) <= needed
