"""The recovery code: what is written down is read back, and what is mistyped is said."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transport.identity import EpochIdentity
from transport.recovery import ALPHABET, BadRecoveryCode, RecoveryCode, parse

CODE = RecoveryCode(bytes(range(32)))


@given(st.binary(min_size=32, max_size=32))
def test_a_code_that_is_shown_is_read_back(secret: bytes) -> None:
    """Text and bytes are the same code."""
    assert parse(RecoveryCode(secret).text()) == RecoveryCode(secret)


@given(st.binary(min_size=32, max_size=32), st.data())
def test_a_code_is_read_as_people_type_it(secret: bytes, data: st.DataObject) -> None:
    """Case, spaces, hyphens, O for 0 and I or L for 1 do not matter."""
    typed = ""
    for character in RecoveryCode(secret).text().replace("-", ""):
        alike = {"0": "0Oo", "1": "1IiLl"}.get(character, character + character.lower())
        typed += data.draw(st.sampled_from(alike)) + data.draw(st.sampled_from(["", "", " ", "-", "\n"]))
    assert parse(typed) == RecoveryCode(secret)


@given(st.binary(min_size=32, max_size=32), st.integers(0, 55), st.integers(1, 31))
def test_one_mistyped_character_is_noticed(secret: bytes, place: int, offset: int) -> None:
    """The check covers every character."""
    text = list(RecoveryCode(secret).text().replace("-", ""))
    text[place] = ALPHABET[(ALPHABET.index(text[place]) + offset) % 32]
    with pytest.raises(BadRecoveryCode, match="checksum is wrong"):
        parse("".join(text))


def test_a_character_that_no_code_has_is_named() -> None:
    """The message gives the place and the character, and nothing else of the code."""
    text = CODE.text()
    with pytest.raises(BadRecoveryCode, match=r"character 6 .* 'U'") as caught:
        parse(text[:6] + "U" + text[7:])
    assert text[:4] not in str(caught.value)


@pytest.mark.parametrize(("text", "said"), [("", "this one has 0"), (CODE.text()[:-1], "this one has 55"), (CODE.text() + "0", "has more")])
def test_a_code_of_wrong_length_is_told_its_length(text: str, said: str) -> None:
    """Missing groups are the common mistake."""
    with pytest.raises(BadRecoveryCode, match=said):
        parse(text)


@pytest.mark.parametrize("odd", ["ß", "ﬁ", "İ", "٣", "é"])
def test_letters_that_grow_in_upper_case_are_refused(odd: str) -> None:
    """Only the alphabet's own characters are read, whatever Unicode makes of others."""
    with pytest.raises(BadRecoveryCode, match="character 1"):
        parse(odd + CODE.text()[1:])


def test_the_secrets_of_a_code_are_those_of_the_specification() -> None:
    """Known answers: a change of any label would lock every subject out."""
    assert CODE.text() == "000G-40R4-0M30-E209-185G-R38E-1W81-24GK-2GAH-C5RR-34D1-P70X-3RFR-M04G"
    assert CODE.identity_secret().hex() == "a256787ee9a1f4a97a78ab5de09d0ae76e2048d80f8053c6f408295405a092c5"
    assert CODE.reading_key().public.key_id.hex() == "c673aedfcbfcf786f646f0d2fcb28fee46ffb1ae85113f03a6ca6b5ced8dd420"
    identity = EpochIdentity.derive(CODE.identity_secret(), day=date(2026, 11, 21), purpose="agent-training", n=1)
    assert identity.pseudonym.hex() == "8fd7fc03c5a5440e11533e38eb89549202a32ddbfe18a79f31ec092b644f9fb0"


def test_a_code_is_never_printed_by_accident() -> None:
    """Its repr is redacted."""
    assert repr(CODE) == "RecoveryCode(redacted)"


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_code_has_32_bytes(size: int) -> None:
    """A shorter one would weaken everything made from it."""
    with pytest.raises(BadRecoveryCode):
        RecoveryCode(bytes(size))
