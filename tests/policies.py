"""Sample policies for tests of every folder, as the JSON that a controller writes."""

import base64
import json
from typing import Any

from transport.xwing import ReadingKey

PURPOSE_KEY = ReadingKey.from_seed(bytes(range(32)))
PUBLIC_KEY = PURPOSE_KEY.public.raw


def surface(**changes: Any) -> dict[str, Any]:
    """An editor where clicks and chords are asked for."""
    return {
        "id": "editor",
        "name": "Editor",
        "executables": ["/usr/bin/mousepad"],
        "category": "work",
        "purpose": "train-desktop-agents",
        "kinds": ["pointer_button", "key_chord"],
    } | changes


def policy(**changes: Any) -> dict[str, Any]:
    """A policy of one purpose and one surface."""
    return {
        "format": 1,
        "version": 1,
        "controller": "Example Ltd",
        "receiver": "http://127.0.0.1:9",
        "hold_min_s": 900,
        "purposes": [
            {
                "id": "train-desktop-agents",
                "title": "Train agents that operate software",
                "public_key": base64.b64encode(PUBLIC_KEY).decode(),
                "readers": "2 of 3 custodians",
                "retention_days": 30,
            }
        ],
        "surfaces": [surface()],
    } | changes


def as_bytes(written: dict[str, Any]) -> bytes:
    """The policy as it is published."""
    return json.dumps(written).encode()
