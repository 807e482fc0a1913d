"""Whether a saved receipt is what was signed: its signature, and every other byte of its file. Pure; needs no ledger and no daemon.

A file holds if it is, to the letter, one of the texts that Volens writes of the receipt inside it, and if the key inside it signed
that. Whose key that is, the file cannot tell: compare it with the ledger key of the machine.
"""

import json
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from consent.receipt import ConsentReceipt, ReceiptError, SignedReceipt, verify
from consent.standard import as_standard, written
from consent.unreadable import UNREADABLE

MAX_BYTES = 4 * 1024 * 1024
"""A receipt of 1,000 surfaces with all kinds is 1 MB; more is none."""


@dataclass(frozen=True, slots=True)
class Verified:
    """A receipt that holds, as it was read and as it was signed."""

    receipt: ConsentReceipt
    signed: SignedReceipt


def kept_text(signed: SignedReceipt) -> str:
    """The file of `volens consent receipt`."""
    return json.dumps(json.loads(signed.as_json()), indent=2) + "\n"


def standard_text(receipt: ConsentReceipt, signed: SignedReceipt) -> str:
    """The file of `volens consent receipt --standard`."""
    return written(as_standard(receipt, signed))


def read(raw: bytes) -> Verified:
    """The receipt of a saved file, in any of the three forms that Volens writes. Raises ReceiptError, in one line."""
    try:
        found = json.loads(raw.decode())
        proof = found.get("proof", found)
        signed = SignedReceipt(
            proof["receipt"], b64decode(proof["signature"], validate=True), b64decode(proof["public_key"], validate=True)
        )
    except (KeyError, TypeError, AttributeError, *UNREADABLE):
        raise ReceiptError("this file is no consent receipt, or is cut short") from None
    receipt = _signed(signed)
    text = standard_text(receipt, signed) if "proof" in found else kept_text(signed)
    if raw not in (text.encode(), f"{signed.as_json()}\n".encode()):
        raise ReceiptError(f"{_where(found, json.loads(text))} is not what was signed")
    return Verified(receipt, signed)


def _signed(signed: SignedReceipt) -> ConsentReceipt:
    try:
        return verify(signed.as_json(), signed.public_key)
    except (TypeError, *UNREADABLE):
        raise ReceiptError("this file is no consent receipt, or is cut short") from None


def _where(found: Any, right: Any) -> str:
    """The first field that is another than it should be; the way it is written, if no field is."""
    return next((f"the field {path}" for path in _differences(found, right)), "the way this file is written")


def _differences(found: Any, right: Any, path: str = "") -> Iterator[str]:
    if isinstance(found, dict) and isinstance(right, dict):
        for key in [*right, *(key for key in found if key not in right)]:
            yield from _differences(found.get(key), right.get(key), f"{path}.{key}".removeprefix("."))
    elif isinstance(found, list) and isinstance(right, list) and len(found) == len(right):
        for index, pair in enumerate(zip(found, right, strict=True)):
            yield from _differences(*pair, path=f"{path}[{index}]")
    elif type(found) is not type(right) or found != right:
        yield path if path.isprintable() and len(path) < 100 else "with a strange name"
