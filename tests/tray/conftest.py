"""A desktop for each module, a daemon for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tray.daemon import Daemon
from tests.tray.stage import Stage


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A desktop without a panel."""
    stage = Stage(tmp_path_factory.mktemp("desktop"))
    yield stage
    stage.end()


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon's end of a control socket."""
    daemon = Daemon(tmp_path / "control")
    yield daemon
    daemon.close()
