"""Who has copied everything opens nothing: a device's image after sealing, and all of a receiver with one custodian too few."""

import base64
import binascii
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import reduce
from itertools import combinations
from operator import xor
from pathlib import Path

import httpx
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from agent.demo.trial import CUSTODIANS
from agent.subject import Subject
from consent.gate import Admitted, decide
from consent.policy import parse as parse_policy
from consent.standing import Standing
from consent.vocabulary import State
from custody.errors import QuorumRefused
from custody.keys import read_private, read_purpose
from custody.quorum import PurposeKey, _info, combine
from tests.agent.people import BOOT, POLICY, at, clicks, keep, recording, say_yes, subject_in
from tests.nothing_lost.test_whole_kills import Household, household_in
from tests.policies import PURPOSE_KEY
from transport.envelope import Envelope, open_purpose, open_subject, parse
from transport.header import EnvelopeError
from transport.kdf import derive
from transport.recovery import parse as parse_code
from transport.span import Everything
from transport.xwing import ReadingKey
from transport.xwing import open as open_share

_ENCODED = re.compile(rb"[0-9a-zA-Z+/=_-]{40,}")
SMALL_BYTES = 1500
"""Longer than any key file. In the short form of a test only every 32nd place of a longer file is tried."""


def files(folder: Path) -> list[bytes]:
    """Every file of a folder, and what stands in it in hexadecimal or base64."""
    found = [path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "ledger.reserve"]
    return [*found, *(plain for raw in found for plain in _decoded(raw))]


def _decoded(raw: bytes) -> Iterator[bytes]:
    for word in _ENCODED.findall(raw):
        with suppress(ValueError):
            yield bytes.fromhex(word.decode())
        with suppress(binascii.Error, ValueError):
            yield base64.b64decode(word, validate=True)


def keys_in(image: Iterable[bytes], every: int) -> set[bytes]:
    """All that could be a key: every 32 bytes in a row; of files beyond SMALL_BYTES at every so many places."""
    return {raw[start : start + 32] for raw in image for start in range(0, len(raw) - 31, 1 if len(raw) <= SMALL_BYTES else every)}


def opened_by(keys: Iterable[bytes], envelope: Envelope) -> int:
    """How many of these open a slot of an envelope, or its body."""
    return sum(_opens_body(key, envelope) or _opens_slot(key, envelope) for key in keys)


def _opens_body(key: bytes, envelope: Envelope) -> bool:
    with suppress(InvalidTag):
        AESGCM(key).decrypt(bytes(12), envelope.body, envelope.header.encode())
        return True
    return False


def _opens_slot(key: bytes, envelope: Envelope) -> bool:
    private = ReadingKey.from_seed(key)
    header = replace(envelope.header, purpose_key_id=private.public.key_id)  # a purpose key that the header does not name is no reason
    for opener, sealed in ((open_subject, envelope), (open_purpose, envelope), (open_purpose, replace(envelope, header=header))):
        with suppress(EnvelopeError):
            opener(sealed, private)
            return True
    return False


EVERY = pytest.mark.parametrize("every", [32, pytest.param(1, marks=pytest.mark.soak)])


@EVERY
def test_a_copied_device_opens_nothing_that_was_sealed(tmp_path: Path, every: int) -> None:
    """After some was sent and while some waits, nothing in the state folder, keys among it, opens an envelope; the recovery code does."""
    subject = subject_in(tmp_path)
    code = say_yes(subject, at(0))
    assert code
    for minute in (1, 2):
        keep(subject, clicks(minute), at(minute))
        assert subject.seal(recording(), POLICY, at(minute), span=Everything()).envelopes == 1
    keep(subject, clicks(3), at(3))
    envelopes = [parse(subject.outbox.read(note.id)) for note in subject.outbox.waiting()]
    subject.was_sent(envelopes[0].id, at(3))
    subject.close()
    shutil.copytree(tmp_path / "state", tmp_path / "image")
    keys = keys_in(files(tmp_path / "image"), every)
    assert {path.read_bytes() for path in (tmp_path / "image" / "keys").glob("*.key")} <= keys
    assert len(keys) > 1000
    for envelope in envelopes:
        assert opened_by(keys, envelope) == 0
        assert (
            opened_by([derive(parse_code(code).secret, b"volens/recovery/reading/1")], envelope) == 1
        )  # the search finds a key that is one
        assert open_purpose(envelope, PURPOSE_KEY)


def _sums(shares: list[bytes]) -> Iterator[bytes]:
    """The XOR of every choice of shares."""
    for count in range(1, len(shares) + 1):
        for some in combinations(shares, count):
            yield bytes(reduce(xor, column) for column in zip(*some, strict=True))


def _shares_of(key: PurposeKey, holder: ReadingKey) -> list[bytes]:
    """The shares that a custodian opens, in whatever group."""
    place = [one.public for one in key.custodians].index(holder.public)
    mine = [share for share in key.shares if share.holder == place]
    return [open_share(holder, share.sealed, _info(key.purpose, key.public, key.custodians, share.group, place)) for share in mine]


@EVERY
def test_one_custodian_too_few_with_all_of_receiver_and_device_opens_nothing(tmp_path: Path, every: int) -> None:
    """Each of three custodians where it takes two, with the receiver's folder, purpose.json and the device that sealed it: no share that
    they open, no sum of these, and nothing in all these files opens a batch; any two custodians do.
    """
    with household_in(tmp_path) as household:
        household.start_receiver()
        envelope = _sealed_by(household)
        answer = httpx.put(f"{household.trial.url}/v1/batches/{envelope.id}", content=envelope.raw, trust_env=False)
        assert answer.status_code == 201
        key = read_purpose(household.trial.purpose)
        paths = [household.trial.keys / f"{name}.key" for name in CUSTODIANS]
        private = [read_private(path) for path in paths]
        shared = [*files(household.trial.receiver), *files(household.trial.purpose), *files(household.places.state)]
        everybody = keys_in(shared, every)
        assert opened_by(everybody, envelope) == 0
        for path, one in zip(paths, private, strict=True):
            with pytest.raises(QuorumRefused):
                combine(key, [one])
            shares = _shares_of(key, one)
            assert len(shares) == 2
            assert opened_by([*_sums(shares), *keys_in([path.read_bytes(), *_decoded(path.read_bytes())], every)], envelope) == 0
        for pair in combinations(private, 2):
            assert open_purpose(envelope, combine(key, pair))


def _sealed_by(household: Household) -> Envelope:
    """An envelope of this household's machine, by its daemon's own code."""
    policy = parse_policy((household.trial.folder / "policy.json").read_bytes())
    subject = Subject(household.places, BOOT, at(0))
    standing = Standing(State.CONSENTED, 1, policy.scope(), indicator=True)
    keep(subject, [one for each in clicks(1, 2) if isinstance(one := decide(each.event, standing), Admitted)], at(2))
    assert subject.seal(standing, policy, at(3), span=Everything()).envelopes == 1
    envelope = parse(subject.outbox.read(subject.outbox.waiting()[0].id))
    subject.close()
    return envelope
