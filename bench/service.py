"""A receiver to measure: the real command in a process of its own, on loopback, under throw-away keys; and envelopes that it takes in."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from transport.envelope import MAX_PAYLOAD_BYTES, Envelope, seal
from transport.identity import EpochIdentity
from transport.xwing import ReadingKey

ROOT = Path(__file__).parents[1]
PURPOSE = "bench"
_PURPOSE_KEY = ReadingKey.from_seed(bytes(32))
_READING_KEY = ReadingKey.from_seed(bytes([1]) * 32)
_ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT)}


@dataclass(frozen=True, slots=True)
class Serving:
    """A receiver that answers."""

    url: str
    process: "subprocess.Popen[bytes]"

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        host, port = self.url.removeprefix("http://").rsplit(":", 1)
        return host, int(port)


def make(directory: Path, settings: str = "") -> Path:
    """A new trial receiver in `directory`/rx; `settings` is added to its settings file."""
    policy = directory / "policy.json"
    policy.write_bytes(_policy())
    made = directory / "rx"
    run("init", str(made), "--trial", "--policy", str(policy))
    with (made / "receiver.toml").open("a") as file:
        file.write(settings)
    return made


def run(*arguments: str) -> str:
    """What `volens-receiver ARGUMENTS` prints. Raises CalledProcessError if it fails."""
    command = [sys.executable, "-m", "receiver", *arguments]
    return subprocess.run(command, env=_ENVIRONMENT, check=True, capture_output=True, text=True).stdout


@contextmanager
def serving(directory: Path, *, program: Sequence[str] = ("-m", "receiver"), port: int = 0) -> Iterator[Serving]:
    """Serves a folder, and ends it however the measurement went; `program` is what python runs, with the command's arguments."""
    served = start(directory, program=program, port=port)
    try:
        yield served
    finally:
        served.process.terminate()
        served.process.wait(60)


def start(directory: Path, *, program: Sequence[str] = ("-m", "receiver"), port: int = 0) -> Serving:
    """Starts one and waits until it listens; its log is `directory`.log."""
    reads, writes = os.pipe()
    with directory.with_suffix(".log").open("ab") as log:
        command = [sys.executable, *program, "serve", str(directory), "--port", str(port), "--ready-fd", str(writes)]
        process = subprocess.Popen(command, stdout=log, stderr=log, pass_fds=[writes], env=_ENVIRONMENT)
    os.close(writes)
    with open(reads) as ready:
        line = ready.readline()
    if not line:
        raise RuntimeError(f"the receiver did not start; read {directory.with_suffix('.log')}")
    return Serving(json.loads(line)["url"], process)


def identity(number: int) -> EpochIdentity:
    """Somebody's identity of a day."""
    return EpochIdentity.derive(number.to_bytes(32, "big"), day=date(2026, 11, 21), purpose=PURPOSE, n=0)


def sealed(signer: EpochIdentity, payload_bytes: int) -> Envelope:
    """A fresh, signed envelope around that many random bytes."""
    return sealed_payload(signer, os.urandom(min(payload_bytes, MAX_PAYLOAD_BYTES)))


def sealed_payload(signer: EpochIdentity, payload: bytes) -> Envelope:
    """A fresh, signed envelope around this payload."""
    return seal(
        payload,
        purpose=PURPOSE,
        purpose_key=_PURPOSE_KEY.public,
        reading_key=_READING_KEY.public,
        signer=signer,
        number=os.urandom(16),
        body_key=os.urandom(32),
    )


def _policy() -> bytes:
    key = base64.b64encode(_PURPOSE_KEY.public.raw).decode()
    purpose = {"id": PURPOSE, "title": "Bench", "public_key": key, "readers": "nobody", "retention_days": 30}
    surface = {"id": "none", "name": "None", "executables": ["/none"], "category": "work", "purpose": PURPOSE, "kinds": ["pointer_button"]}
    terms = {"format": 1, "version": 1, "controller": "Bench", "receiver": "http://127.0.0.1:1", "hold_min_s": 900}
    return json.dumps(terms | {"purposes": [purpose], "surfaces": [surface]}).encode()
