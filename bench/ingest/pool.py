"""A pool of signed envelopes, made before anything is measured: one file with all of them, and one with names and places."""

import json
from dataclasses import dataclass
from pathlib import Path

from bench.service import identity, sealed

IDENTITIES = 50
_AROUND_BYTES = 3000  # header, slots, commitment, signature: what is not payload, about


@dataclass(frozen=True, slots=True)
class Place:
    """Where an envelope lies in the pool's file."""

    id: str
    start: int
    length_bytes: int


def make(path: Path, envelope_bytes: int, count: int) -> list[Place]:
    """Writes `count` envelopes of about this length (padding allows only some lengths) to `path`, and their places beside it."""
    signers = [identity(number) for number in range(IDENTITIES)]
    places: list[Place] = []
    with path.open("wb") as file:
        for number in range(count):
            envelope = sealed(signers[number % IDENTITIES], envelope_bytes - _AROUND_BYTES)
            places.append(Place(envelope.id, file.tell(), len(envelope.raw)))
            file.write(envelope.raw)
    _index(path).write_text(json.dumps([[place.id, place.start, place.length_bytes] for place in places]))
    return places


def places(path: Path) -> list[Place]:
    """What `make` wrote."""
    return [Place(*each) for each in json.loads(_index(path).read_text())]


def _index(path: Path) -> Path:
    return path.with_suffix(".json")
