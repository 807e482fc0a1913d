"""The envelope against a second implementation, `envelope.mjs`, whose HPKE, X-Wing and ML-KEM are not the library that ours uses.

What it sealed once lies in tests/vectors/envelope as `ok_sealed_elsewhere_*`, so every run opens that; here it runs itself.
"""

import base64
import hashlib
import json
import os
import shutil
import subprocess
from datetime import date
from pathlib import Path

import pytest

from tests.transport.test_envelope_vectors import FOLDER, load
from transport.envelope import open_purpose, open_subject, parse, seal
from transport.identity import EpochIdentity
from transport.recovery import RecoveryCode
from transport.recovery import parse as parse_code
from transport.xwing import ReadingKey

HERE = Path(__file__).parent
NODE = shutil.which("node") or shutil.which("nodejs")

pytestmark = pytest.mark.skipif(
    NODE is None or not (HERE / "node_modules" / "@hpke").is_dir(),
    reason="the second implementation needs node and its packages; ./dev test-all brings both",
)


def _node(*arguments: str | Path) -> list[dict[str, str]]:
    command = [str(NODE), str(HERE / "envelope.mjs"), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_both_implementations_come_to_the_same_verdict_on_every_vector() -> None:
    """For each vector and each reader it names: verdict, id and payload are those in the file. It reads up to step 6: a payload that is no
    batch is one all the same.
    """
    vectors = {path.stem: load(path) for path in sorted(FOLDER.glob("*.txt"))}
    answers = _node("open", *sorted(FOLDER.glob("*.txt")))
    assert len(answers) == sum(len(fields["readers"].split()) for fields, _ in vectors.values())
    for answer in answers:
        fields, raw = vectors[answer["name"]]
        expected = "ok" if fields["expect"] == "schema" else fields["expect"]
        assert (answer["name"], answer["verdict"]) == (answer["name"], expected)
        assert answer["id"] == hashlib.sha256(raw).hexdigest()
        if answer["verdict"] == "ok":
            assert answer["payload_sha256"] == fields["payload-sha256"]


def test_what_is_sealed_here_now_is_opened_there(tmp_path: Path) -> None:
    """Fresh keys, fresh codes, sizes around the steps of the padding: both readers get the payload's exact bytes."""
    sizes = (1, 4092, 4093, 70_000)
    payloads = [os.urandom(size) for size in sizes]
    for size, payload in zip(sizes, payloads, strict=True):
        _write(tmp_path / f"{size:06}.txt", payload)
    answers = _node("open", *sorted(tmp_path.glob("*.txt")))
    expected = [hashlib.sha256(payload).hexdigest() for payload in payloads for _ in range(2)]
    assert [answer.get("payload_sha256") for answer in answers] == expected


def test_what_is_sealed_there_now_is_opened_here() -> None:
    """Both of our readers open it, and get the payload whose hash the other side named."""
    made = _node("seal")
    assert len(made) == 4
    for vector in made:
        head, _, body = vector["text"].partition("\n\n")
        fields = dict(line.split(": ", 1) for line in head.splitlines())
        envelope = parse(base64.b64decode(body))
        purpose = open_purpose(envelope, ReadingKey.from_seed(bytes.fromhex(fields["purpose-seed"])))
        subject = open_subject(envelope, parse_code(fields["recovery-code"]).reading_key())
        assert purpose == subject
        assert hashlib.sha256(purpose).hexdigest() == fields["payload-sha256"]


def test_no_lock_names_where_packages_come_from() -> None:
    """Every package is pinned by its hash, and by nothing else: where it is fetched is the reader's choice."""
    packages = json.loads((HERE / "package-lock.json").read_text())["packages"]
    pinned = {name: package for name, package in packages.items() if name}
    assert all(package["integrity"].startswith("sha512-") and "resolved" not in package for package in pinned.values())
    assert "node_modules/@hpke/hybridkem-x-wing" in pinned


def _write(path: Path, payload: bytes) -> None:
    code, seed = RecoveryCode(os.urandom(32)), os.urandom(32)
    envelope = seal(
        payload,
        purpose="agent-training",
        purpose_key=ReadingKey.from_seed(seed).public,
        reading_key=code.reading_key().public,
        signer=EpochIdentity.derive(code.identity_secret(), day=date(2026, 11, 21), purpose="agent-training", n=1),
        number=os.urandom(16),
        body_key=os.urandom(32),
    )
    lines = ["expect: ok", "readers: purpose subject", f"purpose-seed: {seed.hex()}", f"recovery-code: {code.text()}", ""]
    path.write_text("\n".join([*lines, base64.b64encode(envelope.raw).decode(), ""]))
