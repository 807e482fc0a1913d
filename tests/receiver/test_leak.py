"""The leak test: everything that the receiver has, and everything it is, holds nothing of what was sealed.

Database, slots, bodies, logs, environment, arguments and memory of the process, with all of its keys, while it serves and afterwards:
64 canaries, each in five encodings (plain, base64, hexadecimal, UTF-16, compressed), 0 hits.
"""

import gzip
import json
import os
import random
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from agent.demo.canaries import forms
from tests.receiver import stand
from tests.receiver.stand import PURPOSE, PURPOSE_KEY, READING_KEY, Service, person
from transport.compress import compress, zstd
from transport.envelope import Envelope, open_purpose, open_subject, parse, seal
from transport.header import EnvelopeError
from transport.xwing import ReadingKey

STEM = "volenscanary"
"""All canaries begin with it: who finds no stem in any form finds no canary."""
CANARIES = 64
_GZIP, _ZSTD = b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd"
_MOST_BYTES = 1 << 20


def canaries(randomness: random.Random) -> list[str]:
    """As if a person had typed them."""
    return [STEM + randomness.randbytes(8).hex() for _ in range(CANARIES)]


def payloads(randomness: random.Random, count: int) -> Iterator[bytes]:
    """What is sealed: each holds some canaries in every form, half of them compressed, as batches are."""
    texts = canaries(randomness)
    for number in range(count):
        some = [texts[(number * 8 + n) % CANARIES] for n in range(8)]
        plain = b"\n".join(form for text in some for form in forms(text).values()) + b"\n".join(text.encode() for text in some)
        yield compress(plain) if number % 2 else gzip.compress(plain) + plain


def sealed(payload: bytes, randomness: random.Random, who: int) -> Envelope:
    """Under a reproducible key, which the receiver never sees."""
    return seal(
        payload,
        purpose=PURPOSE,
        purpose_key=PURPOSE_KEY.public,
        reading_key=READING_KEY.public,
        signer=person(who),
        number=randomness.randbytes(16),
        body_key=randomness.randbytes(32),
    )


def hits(data: bytes) -> list[str]:
    """The encodings in which a canary stands in these bytes."""
    found = [name for name, form in forms(STEM).items() if form in data]
    for magic, name in ((_GZIP, "gzip"), (_ZSTD, "zstd")):
        at = data.find(magic)
        while at >= 0:
            if STEM.encode() in _inflated(data[at : at + _MOST_BYTES], name):
                found.append(name)
            at = data.find(magic, at + 1)
    return found


def _inflated(data: bytes, name: str) -> bytes:
    try:
        if name == "gzip":
            return zlib.decompressobj(31).decompress(data, _MOST_BYTES)
        return bytes(zstd.ZstdDecompressor().decompress(data, max_length=_MOST_BYTES))
    except Exception:  # a magic number by chance: whatever the codec thinks of it, it is no canary
        return b""


def memory(process_id: int) -> Iterator[tuple[str, bytes]]:
    """Every readable mapping of a process, its environment and its arguments, as root reads them."""
    folder = Path("/proc") / str(process_id)
    for name in ("environ", "cmdline", "maps"):
        yield name, (folder / name).read_bytes()
    with (folder / "mem").open("rb", buffering=0) as mem:
        for line in (folder / "maps").read_text().splitlines():
            span, access, *rest = line.split()
            if "r" not in access or rest[-1] in ("[vvar]", "[vsyscall]", "[vvar_vclock]"):
                continue
            begin, end = (int(each, 16) for each in span.split("-"))
            mem.seek(begin)
            try:
                yield f"memory {rest[-1]}", _read_all(mem, end - begin)
            except OSError:
                continue  # gone since, or a device


def _read_all(mem: object, count: int) -> bytes:
    read, parts = mem.read, []  # type: ignore[attr-defined]
    while count > 0 and (part := read(count)):
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def dump(service: Service) -> Iterator[tuple[str, bytes]]:
    """Everything: every file of the folder, the log, and the process."""
    for path in (path for path in service.directory.rglob("*") if path.is_file()):
        yield str(path.relative_to(service.directory)), path.read_bytes()
    yield "log", service.log.read_bytes()
    if service.process.poll() is None:
        yield from memory(service.process.pid)


def leaks(service: Service) -> dict[str, list[str]]:
    """Where a canary stands, and in which encodings."""
    return {name: found for name, data in dump(service) if (found := hits(data))}


def opened_with_what_the_server_has(service: Service, envelopes: list[Envelope]) -> int:
    """How many open with any 32 bytes that lie in the receiver's key files."""
    keys = [ReadingKey.from_seed(path.read_bytes()) for path in (service.directory / "keys").iterdir()]
    opened = 0
    for envelope in envelopes:
        for key in keys:
            for opener in (open_purpose, open_subject):
                try:
                    opener(parse(envelope.raw), key)
                    opened += 1
                except EnvelopeError:
                    continue
    return opened


def _leak_test(tmp_path: Path, count: int, seed: int) -> None:
    randomness = random.Random(seed)
    envelopes = [sealed(payload, randomness, number % 7) for number, payload in enumerate(payloads(randomness, count))]
    with stand.serving(stand.make(tmp_path)) as service:
        for envelope in envelopes:
            assert service.put(envelope).status_code == 201
        first = envelopes[0]
        noted = service.client.post("/v1/access", json={"purpose": PURPOSE, "reason": "leak test", "batches": [first.id]}).json()
        fetched = service.client.get(f"/v1/custody/batches/{first.id}", headers={"X-Volens-Access": str(noted["record"])})
        assert hits(open_purpose(parse(fetched.content), PURPOSE_KEY))
        service.erase(person(1))
        service.client.put(f"/v1/batches/{'0' * 64}", content=os.urandom(5000))
        assert leaks(service) == {}
        assert opened_with_what_the_server_has(service, envelopes[:8]) == 0
        service.stop()
        assert leaks(service) == {}


def test_the_search_finds_a_canary_in_each_encoding() -> None:
    """A search that finds nothing anywhere would prove nothing."""
    text = canaries(random.Random(1))[0]
    for name, form in forms(text).items():
        assert hits(b"before" + form + b"after"), name
    plain = json.dumps({"text": text, "padding": "x" * 500}).encode()
    assert "gzip" in hits(b"before" + gzip.compress(plain) + b"after")
    assert "zstd" in hits(b"before" + compress(plain) + b"after")
    assert hits(os.urandom(100_000)) == []


def test_the_search_sees_the_memory_of_a_process(tmp_path: Path) -> None:
    """What a receiver does hold in memory, the key that signs its receipts, is found there: the reading is real."""
    with stand.serving(stand.make(tmp_path)) as service:
        service.erase(person(2))
        key = (service.directory / "keys" / "nonce.key").read_bytes()
        assert any(key in data for _, data in memory(service.process.pid))


def test_a_canary_anywhere_in_the_dump_is_found(tmp_path: Path) -> None:
    """Planted in a row, a slot, a body, the log and the environment of the process, each in another encoding: all are found."""
    text = canaries(random.Random(3))[0]
    form = forms(text)
    with stand.serving(stand.make(tmp_path), under=["env", f"HOME={text}"]) as service:
        with closing(sqlite3.connect(service.directory / "volens.db")) as rows, rows:
            rows.execute("CREATE TABLE planted (text)")
            rows.execute("INSERT INTO planted VALUES (?)", (form["hex_lower"],))
        (service.directory / "slots" / "00" / "planted").write_bytes(form["utf16_le"])
        (service.directory / "bodies" / "00" / "planted").write_bytes(b"xx" + gzip.compress(text.encode() * 9))
        with service.log.open("ab") as log:
            log.write(form["base64_1"])
        found = leaks(service)
    places = {name.split(" ")[0] for name in found}
    assert {"slots/00/planted", "bodies/00/planted", "log", "environ", "memory"} <= places
    assert places & {"volens.db", "volens.db-wal"}


def test_a_dump_of_everything_holds_none_of_64_canaries(tmp_path: Path) -> None:
    """The short form: 24 envelopes."""
    _leak_test(tmp_path, 24, 2026)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(5))
def test_a_dump_of_everything_holds_none_of_64_canaries_at_length(tmp_path: Path, seed: int) -> None:
    """The long form: a thousand envelopes, five times."""
    _leak_test(tmp_path, 1000, seed)
