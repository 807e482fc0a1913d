"""Where a receiver's time goes. `python -m bench.ingest.spans serve ...` is `volens-receiver serve ...` with a stopwatch around its parts.

A span counts the CPU time of its thread and the wall time, without what spans inside of it count. What no span covers is the rest of the
process: the event loop, the kernel's part of receiving, Starlette, handing over between threads.
"""

import json
import os
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from bench import service

_OUT = "VOLENS_BENCH_SPANS"
_totals: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
_inner = threading.local()
_adding = threading.Lock()


def timed(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with a stopwatch."""

    def run(*arguments: Any, **named: Any) -> Any:
        outer, _inner.spent = getattr(_inner, "spent", (0, 0)), (0, 0)
        cpu_ns, wall_ns = time.thread_time_ns(), time.perf_counter_ns()
        try:
            return function(*arguments, **named)
        finally:
            cpu_ns, wall_ns = time.thread_time_ns() - cpu_ns, time.perf_counter_ns() - wall_ns
            with _adding:
                total = _totals[name]
                total[0] += cpu_ns - _inner.spent[0]
                total[1] += wall_ns - _inner.spent[1]
            _inner.spent = (outer[0] + cpu_ns, outer[1] + wall_ns)

    return run


def _wrap() -> None:
    """Puts a stopwatch around each part, by replacing names in this process only."""
    import hashlib

    from sqlalchemy.engine import Connection
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

    from receiver import accept, depot, records
    from receiver.file_store import FileStore

    class Hashing:
        sha256 = staticmethod(timed("SHA-256", hashlib.sha256))

    accept.hashlib = Hashing  # type: ignore[attr-defined]
    accept.parse = timed("layout and Ed25519", accept.parse)  # type: ignore[attr-defined]
    HttpToolsProtocol.data_received = timed("HTTP", HttpToolsProtocol.data_received)  # type: ignore[method-assign]
    FileStore.stage = timed("files: create and write", FileStore.stage)  # type: ignore[method-assign]
    FileStore._settle = timed("files: rename", FileStore._settle)  # type: ignore[method-assign]
    os.fsync = timed("fsync of files and folders", os.fsync)
    records.before = timed("rows: look up", records.before)
    records.add = timed("rows: insert", records.add)
    Connection._commit_impl = timed("rows: commit", Connection._commit_impl)  # type: ignore[method-assign]
    depot.Depot.store = timed("deciding, and waiting for the disk's threads", depot.Depot.store)  # type: ignore[method-assign]


def measure(folder: Path, load: Any) -> list[tuple[str, float, float]]:
    """(part, CPU microseconds an envelope, wall microseconds an envelope), the most CPU first; the rest and the sum last."""
    from bench.ingest.contestants import _sent

    out = folder / "spans.json"
    os.environ[_OUT] = service._ENVIRONMENT[_OUT] = str(out)
    with service.serving(service.make(folder, f"max_in_flight = {load.connections}\n"), program=("-m", "bench.ingest.spans")) as served:
        began = _sent(served.address, "/v1/batches/", load, served.process.pid)
        psutil.Process(served.process.pid)
    spans = {name: (cpu / began.count / 1e3, wall / began.count / 1e3) for name, (cpu, wall) in json.loads(out.read_text()).items()}
    listed = [(name, *both) for name, both in sorted(spans.items(), key=lambda item: -item[1][0])]
    total_us = began.server_cpu_s / began.count * 1e6
    return [*listed, ("the rest", total_us - sum(each[1] for each in listed), 0.0), ("all", total_us, 0.0)]


def main() -> None:
    """Serve, then write down what was counted."""
    _wrap()
    from receiver.__main__ import main as serve

    try:
        serve()
    finally:
        Path(os.environ[_OUT]).write_text(json.dumps(_totals))


if __name__ == "__main__":
    sys.exit(main())
