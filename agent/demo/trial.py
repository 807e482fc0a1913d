"""A local trial: three custodians, a purpose key that any two of them rebuild, a receiver on this machine's loopback.

All keys are made here and thrown away with the folder. Refuses every address but 127.0.0.1: nothing leaves the machine.
"""

import json
import os
import select
import shutil
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

from agent.demo.calls import Calls, argv
from agent.demo.errors import NotInTime
from agent.demo.policy import PURPOSE, Application, policy
from agent.demo.wait import PATIENCE_S

CUSTODIANS = ("ada", "ben", "cyd")
QUORUM = 2

Start = Callable[[Sequence[str], Sequence[int]], Popen[bytes]]
"""Starts a process: (argv, descriptors that it keeps)."""


@dataclass(frozen=True, slots=True)
class Trial:
    """The parts of a trial, as folders.

    Attributes:
        folder: Of everything.
        url: The receiver's.
    """

    folder: Path
    url: str

    @property
    def keys(self) -> Path:
        return self.folder / "custodians"

    @property
    def purpose(self) -> Path:
        return self.folder / "purpose"

    @property
    def receiver(self) -> Path:
        return self.folder / "receiver"


def prepare(folder: Path, calls: Calls, applications: Sequence[Application]) -> Trial:
    """Make custodians' keys, the purpose key, the policy and the receiver's folder, all by the real commands."""
    folder.mkdir(mode=0o700)
    trial = Trial(folder, f"http://127.0.0.1:{_free_port()}")
    for name in CUSTODIANS:
        calls.do("custody", "keygen", name, "--out", str(trial.keys))
    public = [part for name in CUSTODIANS for part in ("--custodian", str(trial.keys / f"{name}.pub"))]
    calls.do("custody", "purpose", "create", PURPOSE, "--quorum", str(QUORUM), *public, "--out", str(trial.purpose))
    public_key = json.loads((trial.purpose / "purpose.json").read_bytes())["public"]
    published = folder / "policy.json"
    published.write_bytes(policy(trial.url, public_key, applications))
    calls.do("receiver", "init", str(trial.receiver), "--trial", "--policy", str(published))
    return trial


def serve(trial: Trial, start: Start) -> Popen[bytes]:
    """Start the receiver and return once it listens.

    Raises:
        NotInTime: It did not say so within 30 s.
    """
    reading, writing = os.pipe()
    port = trial.url.rsplit(":", 1)[1]
    try:
        receiver = start(argv("receiver", ["serve", str(trial.receiver), "--port", port, "--ready-fd", str(writing)]), [writing])
    finally:
        os.close(writing)
    try:
        ready, _, _ = select.select([reading], [], [], PATIENCE_S)
        if not ready or not os.read(reading, 4096):
            raise NotInTime("the receiver did not start", "try again; --keep DIR keeps its log")
    finally:
        os.close(reading)
    return receiver


def enrol(trial: Trial, state: Path) -> None:
    """Tell an agent's state folder where the receiver is, and pin the root of trust that came with it."""
    (state / "policy").mkdir(mode=0o700, parents=True)
    settings = state / "agent.toml"
    settings.touch(mode=0o600)
    settings.write_text(f'receiver = "{trial.url}"\ntrial = true\n', encoding="utf-8")
    pinned = state / "policy" / "pinned.root.json"
    pinned.touch(mode=0o600)
    pinned.write_bytes((trial.receiver / "tuf" / "metadata" / "1.root.json").read_bytes())


def executable(program: str) -> str:
    """The resolved path of a program, as the agent will recognise its window; the name itself if it is not here."""
    found = shutil.which(program)
    return str(Path(found).resolve()) if found else f"/{program}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
