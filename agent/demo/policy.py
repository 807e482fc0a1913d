"""The policy of a local trial: which applications, for what, and for how long. Pure."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from consent.policy import STRUCTURE_KINDS, STRUCTURE_ONLY_CATEGORIES
from consent.vocabulary import Kind

PURPOSE = "agent-training"
ALL_KINDS = (
    Kind.POINTER_BUTTON,
    Kind.POINTER_SCROLL,
    Kind.POINTER_PATH,
    Kind.KEY_NAMED,
    Kind.KEY_CHORD,
    Kind.TYPING_BURST,
    Kind.SECURE_INPUT,
    Kind.FOCUS,
    Kind.ELEMENT,
    Kind.CLIPBOARD,
)


@dataclass(frozen=True, slots=True)
class Application:
    """An application that the trial's policy allows.

    Attributes:
        surface: Its id.
        name: What people call it.
        executable: The resolved path of its program.
        category: As the policy knows it; terminals are structure-only.
        hosts: Of a browser, the site that is asked for.
    """

    surface: str
    name: str
    executable: str
    category: str = "work"
    hosts: tuple[str, ...] = ()


def policy(url: str, public_key: str, applications: Sequence[Application]) -> bytes:
    """A policy as published: `public_key` is the purpose's, in base64, `url` the receiver's."""
    surfaces = [
        {
            "id": each.surface,
            "name": each.name,
            "executables": [each.executable],
            "category": each.category,
            "purpose": PURPOSE,
            "kinds": [kind.value for kind in ALL_KINDS if kind in STRUCTURE_KINDS or each.category not in STRUCTURE_ONLY_CATEGORIES],
        }
        | ({"hosts": list(each.hosts)} if each.hosts else {})
        for each in applications
    ]
    purpose = {
        "id": PURPOSE,
        "title": "Training software agents to operate applications",
        "public_key": public_key,
        "readers": "any two of three custodians",
        "retention_days": 30,
    }
    whole = {
        "format": 1,
        "version": 1,
        "controller": "Local trial (throw-away keys)",
        "receiver": url,
        "hold_min_s": 24 * 3600,
        "purposes": [purpose],
        "surfaces": surfaces,
    }
    return json.dumps(whole, indent=1).encode()
