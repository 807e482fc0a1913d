"""The icon's process is started again and again, and what it complains of is said once."""

import asyncio
import sys
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
