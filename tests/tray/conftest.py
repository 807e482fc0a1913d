"""A desktop for each module, a daemon for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tray.daemon import Daemon
from tests.tray.stage import Stage
from tests.tray.stage import stage as on_stage


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """A desktop without a panel."""
    with on_stage() as stage:
        yield stage


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon's end of a control socket."""
    daemon = Daemon(tmp_path / "control")
    yield daemon
    daemon.close()
