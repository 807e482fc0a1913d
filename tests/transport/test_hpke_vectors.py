"""Published HPKE and X-Wing vectors: through a second HPKE that they hold, and through the sealing that it then holds."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.transport import hpke
from transport import xwing
from transport.xwing import ReadingKey

VECTORS: list[dict[str, Any]] = json.loads((Path(__file__).parents[1] / "vectors" / "hpke" / "hpke.json").read_text())
XWING_ID, AES_256_GCM = 0x647A, 2
XWING = [vector for vector in VECTORS if vector["kem_id"] == XWING_ID]
DRAFT_SEED = "7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26"
DRAFT_PUBLIC_BEGINS = "e2236b35a8c24b39b10aa1323a96a919a2ced88400633a7b07131713fc14b2b5b19cfc3da5fa1a92c49f25513e0fd30d"


def _hex(vector: dict[str, Any], name: str) -> bytes:
    return bytes.fromhex(vector[name])


@pytest.mark.parametrize("vector", [vector for vector in VECTORS if vector["kdf_id"] == 1], ids=lambda v: f"{v['kem_id']:x}-{v['aead_id']}")
def test_the_second_hpke_does_what_the_published_vectors_say(vector: dict[str, Any]) -> None:
    """Key schedule and encryptions, from the published shared secret on: RFC 9180's and the post-quantum draft's."""
    context = hpke.schedule(vector["kem_id"], vector["aead_id"], _hex(vector, "shared_secret"), _hex(vector, "info"))
    assert (context.key, context.base_nonce) == (_hex(vector, "key"), _hex(vector, "base_nonce"))
    assert context.exporter_secret == _hex(vector, "exporter_secret")
    for number, one in enumerate(vector["encryptions"]):
        assert context.seal(number, _hex(one, "aad"), _hex(one, "pt")) == _hex(one, "ct")


@pytest.mark.parametrize("vector", XWING, ids=lambda v: f"kdf-{v['kdf_id']}")
def test_a_published_seed_makes_the_published_public_key_and_shared_secret(vector: dict[str, Any]) -> None:
    """Our key from 32 bytes is X-Wing's, and its ciphertext decapsulates to the published secret."""
    assert ReadingKey.from_seed(_hex(vector, "skRm")).public.raw == _hex(vector, "pkRm")
    assert hpke.decapsulate(_hex(vector, "skRm"), _hex(vector, "enc")) == _hex(vector, "shared_secret")


def test_the_seed_of_the_x_wing_draft_makes_its_public_key() -> None:
    """draft-connolly-cfrg-xwing-kem, first vector."""
    assert ReadingKey.from_seed(bytes.fromhex(DRAFT_SEED)).public.raw.hex().startswith(DRAFT_PUBLIC_BEGINS)


@pytest.mark.parametrize("vector", XWING, ids=lambda v: f"kdf-{v['kdf_id']}")
def test_our_opening_takes_a_published_encapsulation(vector: dict[str, Any]) -> None:
    """What the vectors' sender would have sent in our suite, from the published ciphertext and secret, is opened by our own code."""
    info = b"volens/slot/1\0purpose\0" + os.urandom(103)
    context = hpke.schedule(XWING_ID, AES_256_GCM, _hex(vector, "shared_secret"), info)
    sealed = _hex(vector, "enc") + context.seal(0, b"", b"k" * 32)
    assert xwing.open(ReadingKey.from_seed(_hex(vector, "skRm")), sealed, info) == b"k" * 32
    with pytest.raises(xwing.NotForThisKey):
        xwing.open(ReadingKey.from_seed(_hex(vector, "skRm")), sealed, info + b"x")


def test_our_sealing_is_opened_by_the_second_hpke() -> None:
    """A slot of ours: KEM 0x647a, HKDF-SHA256, AES-256-GCM, base mode, first message, no associated data, and nothing else."""
    for number in range(8):
        seed, info, key = hashlib.sha256(bytes([number])).digest(), os.urandom(120), os.urandom(32)
        sealed = xwing.seal(ReadingKey.from_seed(seed).public, key, info)
        enc, ciphertext = sealed[:1120], sealed[1120:]
        context = hpke.schedule(XWING_ID, AES_256_GCM, hpke.decapsulate(seed, enc), info)
        assert context.open(0, b"", ciphertext) == key
