"""What is wrong with a policy or a register, to the letter: the line is all that its author gets."""

import pytest

from consent.policy import MAX_POLICY_BYTES, PolicyError, parse
from consent.register import RegisterError
from consent.register import parse as parse_register
from tests.policies import as_bytes, policy, surface
from tests.register import PATH

TERMS = policy()["purposes"][0]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"purposes": [TERMS | {"public_key": "no base64!"}]}, "the public key of purpose train-desktop-agents is not base64"),
        ({"purposes": [TERMS | {"public_key": "AAAA"}]}, "the public key of purpose train-desktop-agents has 3 bytes and not 1216"),
        ({"purposes": [TERMS, TERMS]}, "the policy names a purpose twice"),
        ({"surfaces": [surface(kinds=["z", "a"])]}, "surface editor asks for kinds that do not exist: a, z"),
        ({"surfaces": [surface(kinds=["gap"])]}, "surface editor asks for a kind that is of no surface"),
        (
            {"surfaces": [surface(category="mail", kinds=["key_chord"])]},
            "surface editor is mail: no key of any kind, frame, label or clipboard may be asked for there",
        ),
        ({"surfaces": [surface(purpose="other")]}, "surface editor names a purpose that the policy does not have"),
        ({"surfaces": [surface(), surface()]}, "the policy names a surface twice"),
        ({"surfaces": [surface(), surface(id="other")]}, "the policy names an executable twice, and not as the browser of sites only"),
        ({"version": 0}, "the policy is malformed at version: Expected int >= 1"),
        ({"notice": "secret"}, "the policy is malformed at notice: It is none of the words or numbers that may stand there"),
        ({"a\nkey": 1}, "the policy is malformed at the whole: Object contains unknown field"),
        ({"controller": "a\u202eb"}, "the policy is malformed at controller: it has characters that cannot be shown"),
        (
            {"surfaces": [surface(words=["a\nb"])]},
            "the policy is malformed at surfaces[0].words[0]: it has characters that cannot be shown",
        ),
        (
            {"surfaces": [surface(id="a\n")]},
            r"the policy is malformed at surfaces[0].id: Expected str matching regex '^[a-z][a-z0-9-]{0,62}\\Z'",
        ),
        ({"version": 1.0}, "the policy is malformed at version: Expected int, got float"),
    ],
)
def test_a_refused_policy_says_which_line_of_it_is_wrong(change: dict[str, object], line: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse(as_bytes(policy(**change)))
    assert str(caught.value) == line


def test_a_policy_may_be_just_as_long_as_the_bound() -> None:
    raw = as_bytes(policy())
    assert parse(raw.ljust(MAX_POLICY_BYTES)).version == 1
    with pytest.raises(PolicyError, match=r"^the policy is longer than \d+ bytes$"):
        parse(raw.ljust(MAX_POLICY_BYTES + 1))
    with pytest.raises(PolicyError, match=r"^the policy is malformed at the whole: "):
        parse(b"[]")


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (
            'what = "',
            'whatever = "',
            "kind pointer_button must have exactly the keys what, purpose, why, never, sensitivity,",
        ),
        (
            'sensitivity = "',
            'sensitivity = "un',
            "kind pointer_button needs a sensitivity of low, work, body and at least 1 day of retention",
        ),
        ("retention_days = ", "retention_days = -", "kind pointer_button needs a sensitivity of low, work, body and at least 1 day"),
        ("retention_days = ", 'retention_days = "x" #', "kind pointer_button has a wrong or empty value for retention_days"),
        ("[kind.pointer_button]", "[kind.pointer_knob]", "the register must have one [kind.NAME] for each kind, and nothing else"),
        ("[kind.pointer_button]", "[kind.pointer_button", "the register is not TOML: "),
    ],
)
def test_a_register_that_is_none_says_why(old: str, new: str, line: str) -> None:
    text = PATH.read_text("utf-8")
    assert old in text
    with pytest.raises(RegisterError) as caught:
        parse_register(text.replace(old, new, 1))
    assert str(caught.value).startswith(line)
