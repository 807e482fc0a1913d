"""The policy: what is refused as a whole, what it can never ask for, and whom it cannot name."""

import base64
import json
import re
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.policy import MAX_POLICY_BYTES, STRUCTURE_KINDS, STRUCTURE_ONLY_CATEGORIES, PolicyError, _PolicyIn, parse
from consent.scope import SURFACELESS
from consent.vocabulary import KEY_KINDS, Kind, SurfaceId
from tests.policies import PUBLIC_KEY, as_bytes, policy, surface


def test_a_policy_is_read_into_frozen_terms() -> None:
    """Purposes and surfaces arrive as they were written; the key id is the key's hash."""
    read = parse(as_bytes(policy()))
    assert read.surfaces[SurfaceId("editor")].kinds == {Kind.POINTER_BUTTON, Kind.KEY_CHORD}
    assert len(next(iter(read.purposes.values())).key_id) == 32
    assert (SurfaceId("editor"), Kind.KEY_CHORD) in read.scope().grants
    assert (None, Kind.GAP) in read.scope().grants


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"version": 0}, "version"),
        ({"version": True}, "version"),
        ({"version": "1"}, "version"),
        ({"hold_min_s": 60}, "hold_min_s"),
        ({"receiver": "ftp://example"}, "receiver"),
        ({"hidden": True}, "hidden"),
        ({"subjects": ["somebody"]}, "subjects"),
        ({"purposes": []}, "purposes"),
        ({"surfaces": [surface(kinds=["keylogger"])]}, "kinds that do not exist"),
        ({"surfaces": [surface(kinds=["gap"])]}, "kind that is of no surface"),
        ({"surfaces": [surface(executables=["mousepad"])]}, "executables"),
        ({"surfaces": [surface(executables=[])]}, "executables"),
        ({"surfaces": [surface(executables=["/usr/bin/mousepad"] * 2)]}, "executable twice"),
        ({"surfaces": [surface(packages=["Mousepad"])]}, "packages"),
        ({"surfaces": [surface(packages=["mousepad/../x"])]}, "packages"),
        ({"surfaces": [surface(packages=["mousepad", "mousepad"])]}, "package twice"),
        ({"surfaces": [surface(packages=[])]}, "packages"),
        ({"surfaces": [surface(hosts=[])]}, "hosts"),
        ({"surfaces": [surface(hosts=["github.com", "github.com"])]}, "host twice"),
        ({"surfaces": [surface(), surface()]}, "twice"),
        ({"surfaces": [surface(), surface(id="other")]}, "executable twice"),
        ({"surfaces": [surface(purpose="performance-review")]}, "purpose that the policy does not have"),
        ({"surfaces": [surface(rank="manager")]}, "rank"),
        ({"controller": "Example \u202e dtL"}, "controller"),
        ({"controller": "a\x1b[2J"}, "controller"),
        ({"surfaces": [surface(kinds=["\x1b[2J"])]}, "kinds"),
        ({"surfaces": [surface(executables=["/usr/bin/\u200bmousepad"])]}, "executables"),
    ],
)
def test_a_policy_with_anything_wrong_is_refused_with_its_place(change: dict[str, object], place: str) -> None:
    """Unknown keys, wrong types, impossible values: nothing of the policy is used, and one line says where."""
    with pytest.raises(PolicyError, match=place) as caught:
        parse(as_bytes(policy() | change))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "path", "/usr/lib/firefox-esr/firefox-esr /usr/lib/chromium/chromium /opt/google/chrome/chrome /usr/bin/lynx".split()
)
def test_a_browser_can_only_be_listed_by_its_sites(path: str) -> None:
    """As a whole it is everything there is, private windows too."""
    with pytest.raises(PolicyError, match="private windows too; name the hosts"):
        parse(as_bytes(policy(surfaces=[surface(executables=[path])])))
    parse(as_bytes(policy(surfaces=[surface(executables=[path], hosts=["forge.example.org"])])))


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b"null", b'{"version": NaN}', b"\xff\xfe", b'{"a":' * 5000, b"x" * (MAX_POLICY_BYTES + 1)]
)
def test_what_is_no_policy_at_all_is_refused(raw: bytes) -> None:
    """Truncated, deep, huge or not JSON: one clear error."""
    with pytest.raises(PolicyError):
        parse(raw)


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e999", b"900.5", b"-900"])
@pytest.mark.parametrize("field", [b'"version": 1', b'"hold_min_s": 900', b'"retention_days": 30'])
def test_a_number_that_is_none_is_refused(field: bytes, number: bytes) -> None:
    """NaN and infinity compare as nothing does; no number of a policy can be one."""
    raw = as_bytes(policy())
    broken = raw.replace(field, field.split(b":")[0] + b": " + number)
    assert broken != raw
    with pytest.raises(PolicyError):
        parse(broken)


@pytest.mark.parametrize("category", sorted(STRUCTURE_ONLY_CATEGORIES))
@pytest.mark.parametrize("kind", sorted(set(Kind) - STRUCTURE_KINDS - SURFACELESS))
def test_no_policy_can_ask_for_keys_or_content_where_that_is_somebody_s_life(category: str, kind: Kind) -> None:
    """Terminals, mail, chat, assistants, password stores, HR, health and banking: a policy with more than structure there is refused."""
    with pytest.raises(PolicyError, match="no key of any kind, frame, label or clipboard"):
        parse(as_bytes(policy() | {"surfaces": [surface(category=category, kinds=[kind.value])]}))


def test_what_is_content_is_never_structure() -> None:
    """Keys, frames, labels, the clipboard and captions, also before they exist; whatever is not listed as structure is refused there."""
    assert not STRUCTURE_KINDS & KEY_KINDS
    assert not {kind.value for kind in STRUCTURE_KINDS} & {"frame", "element", "clipboard", "caption"}
    assert {kind.value for kind in STRUCTURE_KINDS} <= {"pointer_path", "pointer_button", "pointer_scroll", "focus"}


def _fields(schema: Any) -> set[str]:
    """Every field that some policy can have, at any depth; each object must be closed."""
    if isinstance(schema, list):
        return set().union(*map(_fields, schema))
    if not isinstance(schema, dict):
        return set()
    if schema.get("type") == "object":
        assert schema["additionalProperties"] is False
    return set(schema.get("properties", {})).union(*map(_fields, schema.values()))


def test_a_policy_cannot_select_anybody() -> None:
    """Executives, contractors and interns have the same rule: the schema is closed, and none of its fields can tell people apart."""
    whole = set("format version controller receiver hold_min_s purposes surfaces notice reviewer key verify".split())
    terms = set("id title public_key readers retention_days name executables packages hosts words category purpose kinds".split())
    assert _fields(msgspec.json.schema(_PolicyIn)) == whole | terms
    for word in (
        "subject",
        "person",
        "employee",
        "account",
        "uid",
        "rank",
        "grade",
        "role",
        "team",
        "department",
        "hostname",
        "device",
        "group",
    ):
        for broken in (
            policy(**{word: "x"}),
            policy(surfaces=[surface(**{word: "x"})]),
            policy(purposes=[policy()["purposes"][0] | {word: 1}]),
        ):
            with pytest.raises(PolicyError, match=re.escape(word)):
                parse(as_bytes(broken))


def test_a_key_of_wrong_length_or_alphabet_is_refused() -> None:
    """A purpose without a usable key would be sealed to nobody."""
    for key in ("!!!", base64.b64encode(bytes(10)).decode()):
        broken = policy()
        broken["purposes"][0]["public_key"] = key
        with pytest.raises(PolicyError, match="public key"):
            parse(as_bytes(broken))


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_any_json_is_read_or_refused_but_never_crashes(value: object) -> None:
    """Whatever JSON stands in the place of surfaces, the answer is a PolicyError."""
    with pytest.raises(PolicyError):
        parse(json.dumps(policy() | {"surfaces": value, "version": -1}).encode())


def test_the_key_in_the_sample_is_of_the_right_size() -> None:
    """The sample policy is one that could exist."""
    assert len(PUBLIC_KEY) == 1216
