"""The register of kinds: what each is, why, how sensitive, how long, reviewed by whom, until when. Pure.

Reading it fails on a kind without an entry, an entry without a kind, and a missing or unknown key: nothing is assumed.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from types import MappingProxyType
from typing import Any

from consent.vocabulary import Kind

SENSITIVITIES = ("low", "work", "body")
PURPOSES: Mapping[str, str] = MappingProxyType(
    {
        "training": "to teach software agents to operate applications",
        "coherence": "so that holes in the record are understood",
    }
)
"""What anything may be collected for at all, in words; there is no third."""


class RegisterError(Exception):
    """consent/register.toml is not a register; nothing can be collected."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One kind, in words for people. `expires`: the last day on which it may be collected."""

    what: str
    purpose: str
    why: str
    never: str
    sensitivity: str
    retention_days: int
    review: str
    expires: date
    example: str


_TYPES: dict[str, type] = {field.name: str for field in fields(Entry)} | {"retention_days": int, "expires": date}


def _entry(name: str, raw: Any) -> Entry:
    if not isinstance(raw, dict) or set(raw) != set(_TYPES):
        raise RegisterError(f"kind {name} must have exactly the keys {', '.join(_TYPES)}")
    wrong = [key for key, value in raw.items() if type(value) is not _TYPES[key] or value == ""]
    if wrong:
        raise RegisterError(f"kind {name} has a wrong or empty value for {', '.join(wrong)}")
    if raw["purpose"] not in PURPOSES:
        raise RegisterError(f"kind {name} needs a purpose of {', '.join(PURPOSES)}")
    if raw["sensitivity"] not in SENSITIVITIES or raw["retention_days"] < 1:
        raise RegisterError(f"kind {name} needs a sensitivity of {', '.join(SENSITIVITIES)} and at least 1 day of retention")
    return Entry(**raw)


def parse(text: str) -> Mapping[Kind, Entry]:
    """The register's entries, in the order of `Kind`. Raises RegisterError."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RegisterError(f"the register is not TOML: {error}") from None
    entries = raw.get("kind")
    if set(raw) != {"kind"} or not isinstance(entries, dict) or set(entries) != {kind.value for kind in Kind}:
        raise RegisterError("the register must have one [kind.NAME] for each kind, and nothing else")
    return MappingProxyType({kind: _entry(kind, entries[kind]) for kind in Kind})


def in_force(register: Mapping[Kind, Entry], today: date) -> frozenset[Kind]:
    """The kinds that may still be collected today."""
    return frozenset(kind for kind, entry in register.items() if today <= entry.expires)


def as_markdown(register: Mapping[Kind, Entry]) -> str:
    """The page docs/collected.md."""
    lines = ["# What is collected", "", "Printed from `consent/register.toml`. What is not on this page does not exist.", ""]
    for kind, entry in register.items():
        lines += [
            f"## `{kind}`",
            "",
            entry.what,
            "",
            f"- **Purpose:** {PURPOSES[entry.purpose]}",
            f"- **Why:** {entry.why}",
            f"- **Never:** {entry.never}",
        ]
        lines += [f"- **Example:** {entry.example}", f"- **Sensitivity:** {entry.sensitivity}; kept at most {entry.retention_days} days"]
        lines += [f"- **Reviewed:** {entry.review}; collected until {entry.expires.isoformat()} at the latest", ""]
    return "\n".join(lines)
