"""What custody's tests stand on: keys and purposes by the real commands, real envelopes, and a receiver over real HTTP, with knobs."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from consent.event import Button, Clocks, Event, Focus, PointerButton, PointerScroll
from consent.gate import Admitted, Asked, decide
from consent.scope import Scope
from consent.standing import Standing
from consent.vocabulary import Kind, Purpose, State, SurfaceId
from custody.errors import CustodyError
from custody.keys import read_purpose
from custody.open import Wish, open_batches
from transport.batch import Source, pack
from transport.envelope import Envelope, seal
from transport.identity import EpochIdentity
from transport.recovery import RecoveryCode
from transport.xwing import PublicKey

ROOT = Path(__file__).parents[2]
CODE = RecoveryCode(b"r" * 32)
DAY = date(2026, 11, 21)
EDITOR = SurfaceId("editor")
KINDS = (Kind.FOCUS, Kind.POINTER_BUTTON, Kind.POINTER_SCROLL)


def admitted(events: list[Event], purpose: str) -> list[Admitted]:
    """Events as the real gate admits them."""
    scope = Scope(MappingProxyType({(EDITOR, kind): Purpose(purpose) for kind in KINDS}))
    standing = Standing(state=State.CONSENTED, generation=7, scope=scope, indicator=True)
    answers = [decide(event, standing, Asked.SEALING) for event in events]
    return [answer for answer in answers if isinstance(answer, Admitted)]


def at(ms: int) -> Clocks:
    """An instant on all clocks."""
    return Clocks(ms, ms, 1_795_244_400_000 + ms)


def clicks(start_ms: int) -> list[Event]:
    """A focus, a click and a scroll."""
    return [
        Event(EDITOR, 1, at(start_ms), 7, 0, Focus(0, 0, 1000, 500, 1920, 1080)),
        Event(EDITOR, 1, at(start_ms + 10), 7, 1, PointerButton(100, 50, Button.LEFT, True)),
        Event(EDITOR, 1, at(start_ms + 90), 7, 1, PointerButton(100, 50, Button.LEFT, False)),
        Event(EDITOR, 1, at(start_ms + 900), 7, 2, PointerScroll(500, 250, 0, 1)),
    ]


def sealed(
    key: PublicKey, events: list[Event], segments: list[bytes], *, purpose: str = "training", inside: str = "", n: int = 1
) -> Envelope:
    """A batch as an agent seals it; `inside` makes the payload name another purpose than the header."""
    source = Source(policy_version=1, receipt_commitment=b"c" * 32, segments=tuple(segments))
    return seal(
        pack(admitted(events, inside or purpose), source=source),
        purpose=purpose,
        purpose_key=key,
        reading_key=CODE.reading_key().public,
        signer=EpochIdentity.derive(CODE.identity_secret(), day=DAY, purpose=purpose, n=n),
        number=os.urandom(16),
        body_key=os.urandom(32),
    )


def run(*arguments: object, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """The command in its own process."""
    command = [sys.executable, "-m", "custody", *map(str, arguments)]
    environment = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], **(env or {})}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)


def files_in(folder: Path) -> list[Path]:
    """Every file below a folder."""
    return [path for path in folder.rglob("*") if path.is_file()]


@dataclass
class Custody:
    """Keys and a purpose made by the real commands."""

    folder: Path
    keys: list[Path]
    purpose: Path
    public: PublicKey

    def open(self, place: object, *more: object, keys: int = 2, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """`open` with the first so many keys."""
        given = [argument for key in self.keys[:keys] for argument in ("--key", key)]
        return run("open", "--purpose", self.purpose, *given, "--from", place, "--reason", "a test set", *more, env=env)


def refusal(custody: Custody, place: object, folder: Path, reason: str = "a test set") -> str:
    """What `open` refuses with, without a process of its own."""
    wish = Wish(custody.purpose, tuple(custody.keys[:2]), str(place), (), reason, folder, None)
    with pytest.raises(CustodyError) as caught:
        open_batches(wish, datetime(2026, 11, 21, tzinfo=UTC))
    return str(caught.value)


def make_custody(folder: Path, quorum: int, custodians: int, purpose: str = "training") -> Custody:
    """k of n by `keygen` and `purpose create`."""
    names = [f"c{place}" for place in range(custodians)]
    for name in names:
        assert run("keygen", name, "--out", folder / "keys").returncode == 0
    publics = [argument for name in names for argument in ("--custodian", folder / "keys" / f"{name}.pub")]
    made = run("purpose", "create", purpose, "--quorum", quorum, *publics, "--out", folder / purpose)
    assert made.returncode == 0, made.stderr
    public = read_purpose(folder / purpose).public
    assert public.key_id.hex() in made.stdout
    return Custody(folder, [folder / "keys" / f"{name}.key" for name in names], folder / purpose, public)


def put(folder: Path, *envelopes: Envelope) -> Path:
    """A folder with envelopes."""
    folder.mkdir(exist_ok=True)
    for envelope in envelopes:
        (folder / f"{envelope.id}.envelope").write_bytes(envelope.raw)
    return folder


@dataclass
class FakeReceiver:
    """The three routes over real HTTP, with knobs.

    Attributes:
        kept: envelopes by id.
        erased: ids that answer 410.
        requests: what was asked, in order.
        records: bodies of the access log.
        replace_answer: given method and path, another (status, headers, body) or None.
        page: ids a page.
    """

    kept: dict[str, bytes] = field(default_factory=dict)
    erased: set[str] = field(default_factory=set)
    requests: list[str] = field(default_factory=list)
    records: list[dict[str, Any]] = field(default_factory=list)
    replace_answer: Callable[[str, str], tuple[int, dict[str, str], bytes] | None] = lambda method, path: None
    page: int = 1000
    url: str = ""

    def answer(self, method: str, target: str, headers: Any, body: bytes) -> tuple[int, dict[str, str], bytes]:
        """What the receiver says."""
        parts = urlsplit(target)
        self.requests.append(f"{method} {parts.path}")
        if (other := self.replace_answer(method, parts.path)) is not None:
            return other
        if (method, parts.path) == ("POST", "/v1/access"):
            self.records.append(json.loads(body))
            return 201, {}, json.dumps({"record": len(self.records), "hash": "0" * 64}).encode()
        if parts.path == "/v1/custody/batches":
            after = parse_qs(parts.query).get("after", [""])[0]
            ids = sorted(batch for batch in self.kept if batch > after)
            return 200, {}, json.dumps({"batches": ids[: self.page], "more": len(ids) > self.page}).encode()
        batch = parts.path.rsplit("/", 1)[1]
        number = int(headers.get("X-Volens-Access", "0"))
        if not 0 < number <= len(self.records) or batch not in self.records[number - 1]["batches"]:
            return 403, {}, b'{"error": "no access record names this batch", "do": "write one first"}'
        if batch in self.erased:
            return 410, {}, b'{"error": "its subject had this erased", "do": "leave it out"}'
        return 200, {}, self.kept[batch]


def keep(fake: FakeReceiver, *envelopes: Envelope) -> None:
    """Lets the receiver have envelopes."""
    fake.kept |= {envelope.id: envelope.raw for envelope in envelopes}
