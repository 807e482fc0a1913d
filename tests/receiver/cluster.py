"""A throw-away PostgreSQL cluster on a Unix socket of its own, run by an account that is not root."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from sqlalchemy.engine import Engine
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.util import greenlet_spawn

_T = TypeVar("_T")
_NOBODY = 65534


def programs() -> Path | None:
    """Where PostgreSQL's programs lie, Debian's newest first; None where there are none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


@contextmanager
def running(binaries: Path) -> Iterator[str]:
    """SQLAlchemy's address of an empty database in a new cluster; the cluster is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="pg"))  # short: a socket's path has 107 bytes
    account = _NOBODY if os.geteuid() == 0 else os.geteuid()
    os.chown(folder, account, -1)
    data, quiet = folder / "data", {"stdout": subprocess.DEVNULL, "user": account, "cwd": folder}
    try:
        made = [binaries / "initdb", "-D", data, "-U", "volens", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"]
        subprocess.run(made, check=True, env={"PATH": "/usr/bin:/bin"}, **quiet)  # type: ignore[call-overload]
        control = [binaries / "pg_ctl", "-D", data, "-w", "-l", folder / "log"]
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
        subprocess.run([*control, "-o", options, "start"], check=True, env={"PATH": "/usr/bin:/bin"}, **quiet)  # type: ignore[call-overload]
        try:
            yield f"postgresql+asyncpg://volens@/postgres?host={folder}"
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], check=True, **quiet)  # type: ignore[call-overload]
    finally:
        shutil.rmtree(folder)


async def within(address: str, act: Callable[[Engine], _T]) -> _T:
    """The value of an act on the database: written for SQLAlchemy's ordinary engine, run on asyncpg's."""
    engine = create_async_engine(address)
    try:
        return await greenlet_spawn(act, engine.sync_engine)  # type: ignore[no-any-return]
    finally:
        await engine.dispose()
