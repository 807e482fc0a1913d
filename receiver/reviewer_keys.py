"""A reviewer's keys: one secret in NAME.key opens reasons and signs decisions; NAME.reviewer.json is what the policy says of both.

Refuses to write over a file, and a key that others could read, as every signer's key (receiver/policy_keys.py), which it is a kind of.
"""

import base64
import json
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from receiver import passphrases, policy_keys
from receiver.errors import ReceiverError
from transport import disk
from transport.kdf import derive
from transport.xwing import ReadingKey

GROUP = "reviewer"
_READING = b"volens/reviewer-reading/1"


@dataclass(frozen=True, slots=True, repr=False)
class ReviewerKeys:
    """What opens reasons, and what signs decisions."""

    reading: ReadingKey
    signing: Ed25519PrivateKey


def make(folder: Path, name: str, passphrase: str | None) -> tuple[Path, Path]:
    """Writes NAME.key (0600) and NAME.reviewer.json, durable before it returns. Raises ReceiverError."""
    private, public, signer = policy_keys.make(folder, name, GROUP, passphrase)
    keys = _of(policy_keys.read_private(private).open(passphrase))
    stated = {
        "name": name,
        "key": base64.b64encode(keys.reading.public.raw).decode(),
        "verify": base64.b64encode(signer.public).decode(),
    }
    described = folder / f"{name}.reviewer.json"
    try:
        disk.write_new(described, json.dumps(stated, indent=1).encode() + b"\n")
        public.unlink()  # it says less than the file for the policy
    except OSError as error:
        raise ReceiverError(f"{described} cannot be written ({error.strerror})", "name a new folder") from None
    return private, described


def read(path: Path) -> ReviewerKeys:
    """The keys in a NAME.key; asks for its passphrase if it has one. Raises ReceiverError."""
    found = policy_keys.read_private(path)
    return _of(found.open(passphrases.ask() if found.sealed else None))


def _of(signing: Ed25519PrivateKey) -> ReviewerKeys:
    return ReviewerKeys(ReadingKey.from_seed(derive(signing.private_bytes_raw(), _READING)), signing)
