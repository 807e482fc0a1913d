"""A private X server on a display that is free, which only the holder of its cookie can open."""

import os
import secrets
import select
import socket
import struct
from collections.abc import Mapping
from pathlib import Path

from Xlib.display import Display

from agent.demo.children import Children, find
from agent.demo.errors import NotInTime
from agent.demo.programs import Program
from agent.demo.wait import PATIENCE_S

_FAMILY_LOCAL = 256  # Xauth(7): an entry for the Unix socket, by host name


def _cookie_file(path: Path) -> None:
    """An X authority file with one random cookie, for whatever display number we get (an empty number means any)."""
    fields = (socket.gethostname().encode(), b"", b"MIT-MAGIC-COOKIE-1", secrets.token_bytes(16))
    entry = struct.pack(">H", _FAMILY_LOCAL) + b"".join(struct.pack(">H", len(field)) + field for field in fields)
    path.touch(mode=0o600)
    path.write_bytes(entry)


def start_display(children: Children, env: Mapping[str, str], folder: Path, width: int, height: int) -> dict[str, str]:
    """Start Xvfb and return the variables that lead to it: DISPLAY and XAUTHORITY.

    Raises:
        ProgramMissing: There is no Xvfb.
        NotInTime: It did not say within 30 s which display it took.
    """
    cookie = folder / "xauthority"
    _cookie_file(cookie)
    reading, writing = os.pipe()
    size = f"{width}x{height}x24"
    argv = [find(Program.XVFB), "-displayfd", str(writing), "-screen", "0", size, "-nolisten", "tcp", "-auth", str(cookie), "-noreset"]
    try:
        children.start(argv, env, name="xvfb", pass_fds=[writing])
    finally:
        os.close(writing)
    try:
        number = _read_line(reading)
    finally:
        os.close(reading)
    return {"DISPLAY": f":{number}", "XAUTHORITY": str(cookie)}


def open_display(env: Mapping[str, str]) -> Display:
    """A connection of this process to the display of `env` (python-xlib knows the cookie by this process's environment only)."""
    before = os.environ.get("XAUTHORITY")
    os.environ["XAUTHORITY"] = env["XAUTHORITY"]
    try:
        return Display(env["DISPLAY"])
    finally:
        if before is None:
            del os.environ["XAUTHORITY"]
        else:
            os.environ["XAUTHORITY"] = before


def _read_line(fd: int) -> str:
    said = b""
    while not said.endswith(b"\n"):
        ready, _, _ = select.select([fd], [], [], PATIENCE_S)
        part = os.read(fd, 64) if ready else b""
        if not part:
            raise NotInTime("Xvfb did not start", "try again; if it stays so, run Xvfb by hand and read what it says")
        said += part
    return said.decode("ascii").strip()
