"""Runs the application on a socket until it is asked to end. Refuses to let a trial be reached from another machine."""

import ipaddress
import json
import logging
import os
import signal
import socket
from pathlib import Path
from types import FrameType

import uvicorn

from receiver import app, lines
from receiver.errors import ReceiverError
from receiver.running import Running
from receiver.site import lock, open_site


class _Server(uvicorn.Server):
    """Says when it listens, and tells the application when it is asked to end."""

    def __init__(self, config: uvicorn.Config, here: Running, ready_fd: int, url: str) -> None:
        super().__init__(config)
        self._here = here
        self._ready_fd = ready_fd
        self._url = url

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            os.write(self._ready_fd, json.dumps({"url": self._url}).encode() + b"\n")

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._here.draining = True
        super().handle_exit(sig, frame)


def serve(directory: Path, host: str, port: int, ready_fd: int) -> None:
    """Serves a folder until SIGTERM or SIGINT, then finishes what is in flight.

    Args:
        directory: as `init` made it.
        host: address to bind.
        port: 0 for any free one.
        ready_fd: gets one JSON line, {"url": ...}, when requests are answered.

    Raises:
        ReceiverError: the folder or the address cannot be used.
    """
    site = open_site(directory)
    if site.settings.trial and not _is_loopback(host):
        raise ReceiverError(f"a trial does not listen on {host}", "leave --host away, or make a receiver without --trial")
    _check_open(ready_fd)
    held = lock(directory)
    try:
        bound = _bind(host, port)
        here = app.prepare(site)
        config = uvicorn.Config(
            app.make(here),
            http="httptools",
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=site.settings.drain_s,
        )
        _quote_server_log()
        server = _Server(config, here, ready_fd, _url(bound))
        # From now on, not only while uvicorn listens; and it raises the signal again when it has ended, which must not be our end.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, server.handle_exit)
        server.run(sockets=[bound])
    finally:
        os.close(held)


def _check_open(ready_fd: int) -> None:
    try:
        os.fstat(ready_fd)
    except OSError:
        raise ReceiverError(f"descriptor {ready_fd} is not open", "name one that is with --ready-fd, or leave it away") from None


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except (OSError, OverflowError):
        bound.close()
        raise ReceiverError(f"{host} port {port} cannot be bound", "name a free port and an address of this machine") from None
    return bound


def _url(bound: socket.socket) -> str:
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _quote_server_log() -> None:
    for name in ("uvicorn", "uvicorn.error", "asyncio"):
        logger = logging.getLogger(name)
        logger.handlers = [lines.Quoted()]
        logger.propagate = False
        logger.setLevel(logging.WARNING)
