"""The icon's process is started again and again, and what it complains of is said once."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from agent import trays
from agent.trays import Trays


def test_an_icon_that_cannot_be_shown_complains_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three tries, each with the same line and one of its own: the shared line is passed on once, and a long one does no harm."""
    tries = tmp_path / "tries"
    monkeypatch.setattr(trays, "AGAIN_AFTER_S", (0.0,))
    code = (
        "import sys, os; f = open(sys.argv[1], 'a'); f.write('x'); f.close(); n = os.path.getsize(sys.argv[1]);"
        "sys.stderr.write('volens: no tray; start a panel\\n' + 'y' * 100_000 + '\\n' + f'try {n}\\n')"
    )

    async def run() -> None:
        icon = Trays(tmp_path / "socket")
        icon._command = [sys.executable, "-c", code, str(tries)]
        keeping = asyncio.create_task(icon.keep())
        async with asyncio.timeout(20):
            while not tries.exists() or tries.stat().st_size < 4:
                await asyncio.sleep(0.02)
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        icon.end()
        if icon._process is not None:
            await icon._process.wait()
            icon._process._transport.close()  # type: ignore[attr-defined]

    asyncio.run(run())
    said = capsys.readouterr().err.splitlines()
    assert said.count("volens: no tray; start a panel") == 1
    assert {"try 1", "try 2", "try 3"} <= set(said)


def test_an_icon_that_keeps_ending_is_told_of_and_comes_at_once_with_a_display(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice is nothing; from the third end in a row on it is words for the status. `sooner` ends a wait."""
    monkeypatch.setattr(trays, "AGAIN_AFTER_S", (0.0, 0.0, 3_600.0))
    tries = tmp_path / "tries"

    async def until(holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not holds():
                await asyncio.sleep(0.01)

    async def run() -> None:
        icon = Trays(tmp_path / "socket")
        icon._command = [sys.executable, "-c", "import sys; open(sys.argv[1], 'a').write('x')", str(tries)]
        keeping = asyncio.create_task(icon.keep())
        await until(lambda: tries.exists() and tries.stat().st_size == 2)
        assert icon.why == ""
        await until(lambda: icon.why != "")
        assert (tries.stat().st_size, "3 times in a row" in icon.why) == (3, True)
        icon.sooner()
        await until(lambda: "4 times in a row" in icon.why)
        assert tries.stat().st_size == 4
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        assert icon._process is not None
        icon._process._transport.close()  # type: ignore[attr-defined]

    asyncio.run(run())


def test_an_icon_that_stays_is_told_of_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a while the reason of its ends is gone: what is blocked later for want of an icon has another."""
    monkeypatch.setattr(trays, "AGAIN_AFTER_S", (0.0, 0.0, 3_600.0))
    tries = tmp_path / "tries"
    code = "import os, sys, time; open(sys.argv[1], 'a').write('x'); time.sleep(60 if os.path.getsize(sys.argv[1]) > 3 else 0)"

    async def run() -> None:
        icon = Trays(tmp_path / "socket")
        icon._command = [sys.executable, "-c", code, str(tries)]
        keeping = asyncio.create_task(icon.keep())
        async with asyncio.timeout(20):
            while not icon.why:
                await asyncio.sleep(0.01)
            monkeypatch.setattr(trays, "STEADY_S", 0.05)
            icon.sooner()
            while icon.why:
                await asyncio.sleep(0.01)
        assert icon.pid is not None
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        icon.end()
        assert icon._process is not None
        await icon._process.wait()
        icon._process._transport.close()  # type: ignore[attr-defined]

    asyncio.run(run())
