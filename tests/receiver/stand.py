"""A receiver to test against: the real one, in its own process, on loopback, under throw-away keys."""

import atexit
import base64
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import httpx

from tests.receiver.described import hold
from transport.envelope import Envelope, seal
from transport.erasure_proof import message
from transport.identity import EpochIdentity
from transport.jobs import Answered, Request
from transport.xwing import ReadingKey

PURPOSE = "train-desktop-agents"
PURPOSE_KEY = ReadingKey.from_seed(bytes(32))
READING_KEY = ReadingKey.from_seed(bytes([1]) * 32)
OTHER_KEY = ReadingKey.from_seed(bytes([2]) * 32)
CANARY = b"canary-7f3a-payload"
COMMAND = [sys.executable, "-m", "receiver"]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}


def policy() -> bytes:
    """A policy of one purpose and one surface."""
    key = base64.b64encode(PURPOSE_KEY.public.raw).decode()
    purpose = {"id": PURPOSE, "title": "Train agents", "public_key": key, "readers": "2 of 3 custodians", "retention_days": 30}
    surface = {"id": "mousepad", "name": "Mousepad", "executables": ["/usr/bin/mousepad"], "category": "work", "purpose": PURPOSE}
    surface["kinds"] = ["pointer_button"]
    terms = {"format": 1, "version": 1, "controller": "Example Ltd", "receiver": "http://127.0.0.1:1", "hold_min_s": 900}
    return json.dumps(terms | {"purposes": [purpose], "surfaces": [surface]}).encode()


def person(n: int = 0) -> EpochIdentity:
    """Somebody's identity of a day."""
    return EpochIdentity.derive(bytes(31) + bytes([n]), day=date(2026, 11, 21), purpose=PURPOSE, n=0)


def envelope(signer: EpochIdentity | None = None, *, purpose: str = PURPOSE, key: ReadingKey = PURPOSE_KEY, size: int = 2000) -> Envelope:
    """A fresh envelope with a canary in its payload."""
    return seal(
        CANARY + os.urandom(size),
        purpose=purpose,
        purpose_key=key.public,
        reading_key=READING_KEY.public,
        signer=signer or person(),
        number=os.urandom(16),
        body_key=os.urandom(32),
    )


def answered(response: httpx.Response) -> Answered:
    """An answer as a courier would bring it."""
    return Answered(1, response.status_code, response.headers.get("retry-after"), response.headers.get("date"), response.content)


@dataclass
class Service:
    """A receiver that answers."""

    directory: Path
    url: str
    client: httpx.Client
    process: "subprocess.Popen[bytes]"
    log: Path

    def put(self, sealed: Envelope) -> httpx.Response:
        """Sends an envelope to its name."""
        return self.client.put(f"/v1/batches/{sealed.id}", content=sealed.raw)

    def erase(self, who: EpochIdentity, batches: Sequence[str] | None = None, *, nonce: str | None = None) -> httpx.Response:
        """Asks for erasure with a valid proof."""
        nonce = nonce or self.client.get("/v1/erasures/nonce").json()["nonce"]
        body: dict[str, object] = {"pseudonym": who.pseudonym.hex(), "nonce": nonce}
        body["signature"] = who.sign(message(nonce, batches)).hex()
        return self.client.post("/v1/erasures", json=body if batches is None else body | {"batches": batches})

    def ask(self, spelled: tuple[Request, bytes]) -> httpx.Response:
        """Sends what a client module spelled, over a connection of its own."""
        request, body = spelled
        with httpx.Client(trust_env=False, timeout=20, event_hooks={"response": [hold]}) as client:
            return client.request(request.method.value, request.url, content=body or None)

    def nonce(self) -> str:
        """A nonce to sign."""
        return str(self.client.get("/v1/erasures/nonce").json()["nonce"])

    def files(self, sealed: Envelope) -> list[Path]:
        """Both places of an envelope."""
        return [self.directory / store / sealed.id[:2] / sealed.id for store in ("slots", "bodies")]

    def raw(self, request: bytes) -> bytes:
        """Sends bytes as they are, and returns the whole answer."""
        with self.connect() as connection:
            connection.sendall(request)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def connect(self) -> socket.socket:
        """A connection to it."""
        host, port = self.url.removeprefix("http://").split(":")
        return socket.create_connection((host, int(port)), timeout=20)

    def stop(self) -> int:
        """Asks it to end, and returns its exit code."""
        self.process.terminate()
        return self.process.wait(20)


def run(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    """`volens-receiver ARGUMENTS`."""
    return subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False, env=ENVIRONMENT)


@cache
def _template() -> Path:
    directory = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, directory)
    (directory / "policy.json").write_bytes(policy())
    made = run("init", directory / "rx", "--trial", "--policy", directory / "policy.json")
    assert made.returncode == 0, made.stderr
    with serving(directory / "rx"):
        _until_chores_are_done(directory / "rx")
    return directory / "rx"


def _until_chores_are_done(directory: Path) -> None:
    """A start has things to do once a day; done here, so that a test of faults meets none of them."""
    deadline_s = time.monotonic() + 20
    while time.monotonic() < deadline_s:
        with closing(sqlite3.connect(directory / "volens.db")) as rows:
            if rows.execute("SELECT count(*) FROM chore").fetchone() == (1,):
                return
        time.sleep(0.02)
    raise AssertionError("the chores are not done")


def make(directory: Path, settings: str = "") -> Path:
    """A new trial receiver's folder, copied from one that the command made; `settings` is added to its settings file."""
    shutil.copytree(_template(), directory / "rx")
    with (directory / "rx" / "receiver.toml").open("a") as file:
        file.write(settings)
    return directory / "rx"


def make_fleet(directory: Path, settings: str = "") -> tuple[Path, str]:
    """A receiver's folder that is no trial, with the trial's policy published in it; and a fleet token."""
    made = make(directory, settings)
    file = made / "receiver.toml"
    file.write_text(file.read_text().replace("trial = true", "trial = false"))
    created = run("token", "create", made, "--note", "pilot")
    assert created.returncode == 0, created.stderr
    return made, created.stdout.splitlines()[-1]


@contextmanager
def serving(directory: Path, *, under: Sequence[str] = ()) -> Iterator[Service]:
    """Serves a folder, perhaps under another program such as strace, and ends it however the test went."""
    log = directory.parent / "receiver.log"
    reads, writes = os.pipe()
    with log.open("ab") as lines:
        command = [*under, *COMMAND, "serve", str(directory), "--ready-fd", str(writes)]
        process = subprocess.Popen(command, stdout=lines, stderr=lines, pass_fds=[writes], env=ENVIRONMENT)
    os.close(writes)
    try:
        with open(reads) as ready:
            line = ready.readline()
        assert line, log.read_text()
        url = json.loads(line)["url"]
        with httpx.Client(base_url=url, trust_env=False, timeout=20, event_hooks={"response": [hold]}) as client:
            yield Service(directory, url, client, process, log)
    finally:
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
