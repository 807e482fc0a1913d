"""How much of what can be changed in consent/ its tests notice: mutmut changes every function, one place at a time."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COPIED = ("agent", "collectors", "consent", "custody", "docs", "receiver", "tests", "transport")
LEAST = 0.90
"""What was reached (docs/evidence.md). The bar is 0.95; whoever raises the one raises the other."""


@pytest.mark.soak
def test_the_tests_of_consent_notice_nearly_every_change(tmp_path: Path) -> None:
    """Of 100 changed copies of consent/ at least so many fail a test. Which do not: `mutmut results` in the copy that is left."""
    copy = tmp_path / "copy"
    for name in COPIED:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
    for name in ("pyproject.toml", "volens.py", "README.md", "CHANGELOG.md"):
        shutil.copy(ROOT / name, copy)
    for words in (["run", "--max-children", "2"], ["export-cicd-stats"]):
        subprocess.run([sys.executable, "-m", "mutmut", *words], cwd=copy, env={"PATH": "/usr/bin:/bin"}, check=True, capture_output=True)
    stats = json.loads((copy / "mutants" / "mutmut-cicd-stats.json").read_text())
    noticed = stats["killed"] + stats["timeout"]
    print(f"noticed {noticed} of {stats['total']}: {stats}")
    assert noticed >= LEAST * stats["total"]
