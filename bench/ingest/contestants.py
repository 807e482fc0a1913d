"""Who takes part: the receiver, nginx, and the disk. Each starts in a fresh folder, takes one pool, and says what it cost."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench import service
from bench.ingest.figures import Round
from bench.ingest.pool import places

_CONFIG = """
daemon off; master_process on; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log; {account}
events {{ worker_connections 256; }}
http {{
  access_log off; client_max_body_size 2m; keepalive_requests 1000000;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/t1; fastcgi_temp_path {folder}/t2;
  uwsgi_temp_path {folder}/t3; scgi_temp_path {folder}/t4;
  server {{ listen 127.0.0.1:{port}; location / {{ root {folder}/files; dav_methods PUT; create_full_put_path on; }} }}
}}
"""


@dataclass(frozen=True, slots=True)
class Load:
    """What each contestant gets.

    Attributes:
        pool: file of envelopes.
        envelope_bytes: about how long each is.
        connections: how many requests are under way at any time.
    """

    pool: Path
    envelope_bytes: int
    connections: int


class Receiver:
    """One process of ours: 201 only when files, folders and row are on the disk."""

    name = "receiver, durable"

    def measure(self, folder: Path, load: Load) -> Round:
        """One round in a fresh folder."""
        with service.serving(service.make(folder, f"max_in_flight = {load.connections}\n")) as served:
            return _sent(served.address, "/v1/batches/", load, served.process.pid)


class Nginx:
    """One worker with WebDAV PUT: 201 as soon as the kernel has it; nothing is flushed, hashed or verified."""

    name = "nginx PUT, no fsync"

    def measure(self, folder: Path, load: Load) -> Round:
        """One round in a fresh folder."""
        with _nginx(folder) as (address, pid):
            return _sent(address, "/", load, pid)


class Files:
    """The disk with one new file an envelope, file and folder flushed, as many at once."""

    name = "disk: new files"

    def measure(self, folder: Path, load: Load) -> Round:
        """One round in a fresh folder."""
        return _wrote(folder, load)


class Append:
    """The disk with one file that grows, one flush an envelope, one after the other."""

    name = "disk: one file"

    def measure(self, folder: Path, load: Load) -> Round:
        """One round in a fresh folder."""
        return _wrote(folder, load, "--append")


Contestant = Receiver | Nginx | Files | Append


def _sent(address: tuple[str, int], prefix: str, load: Load, pid: int) -> Round:
    os.sync()  # nobody pays for what the one before left in the page cache
    server = psutil.Process(pid)
    before_s = _cpu_s(server)
    said = _json("bench.ingest.client", address[0], str(address[1]), prefix, str(load.pool), str(load.connections))
    return _round(said, load, _cpu_s(server) - before_s)


def _wrote(folder: Path, load: Load, *more: str) -> Round:
    os.sync()
    count = len(places(load.pool))
    said = _json("bench.ingest.disk", str(folder), str(load.envelope_bytes), str(count), str(load.connections), *more)
    return _round(said, load, float(said["cpu_share"]) * float(said["elapsed_s"]))


def _round(said: dict[str, object], load: Load, server_cpu_s: float) -> Round:
    count = len(places(load.pool))
    if said["statuses"] != {"201": count}:
        raise RuntimeError(f"not every envelope was stored: {said['statuses']}")
    return Round(
        count=count,
        sent_bytes=sum(place.length_bytes for place in places(load.pool)),
        elapsed_s=float(said["elapsed_s"]),  # type: ignore[arg-type]
        latencies_s=tuple(said["latencies_s"]),  # type: ignore[arg-type]
        server_cpu_s=server_cpu_s,
        client_share=float(said["cpu_share"]),  # type: ignore[arg-type]
    )


def _json(module: str, *arguments: str) -> dict[str, object]:
    command: Sequence[str] = [sys.executable, "-m", module, *arguments]
    ran = subprocess.run(command, cwd=service.ROOT, stdout=subprocess.PIPE, check=True)
    said: dict[str, object] = json.loads(ran.stdout)
    return said


def _cpu_s(process: psutil.Process) -> float:
    """CPU seconds of a process and its living children."""
    spent = [each.cpu_times() for each in (process, *process.children())]
    return float(sum(each.user + each.system for each in spent))


@contextmanager
def _nginx(folder: Path) -> Iterator[tuple[tuple[str, int], int]]:
    program = shutil.which("nginx", path=os.environ.get("PATH", "") + os.pathsep + "/usr/sbin")
    if program is None:
        raise RuntimeError("nginx is not installed; run: apt-get install nginx")
    address = ("127.0.0.1", _free_port())
    (folder / "files").mkdir()
    account = "user root;" if os.geteuid() == 0 else ""  # its own account may not enter our folder
    (folder / "nginx.conf").write_text(_CONFIG.format(folder=folder, port=address[1], account=account))
    command = [program, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        _await_listener(address)
        yield address, process.pid
    finally:
        process.terminate()
        process.wait(20)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await_listener(address: tuple[str, int]) -> None:
    deadline_s = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(address).close()
            return
        except ConnectionRefusedError:
            if time.monotonic() > deadline_s:
                raise
            time.sleep(0.02)
