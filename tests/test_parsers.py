"""Every parser against hostile bytes: it refuses in its own words, or says that there is nothing; it never falls over."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent import messages
from agent import settings as agent_settings
from agent.errors import AgentError
from agent.status import Status
from collectors.pipe import decode_up
from consent.frames import FrameError, Splitter
from consent.ledger import Ledger, LedgerError
from consent.policy import PolicyError
from consent.policy import parse as parse_policy
from consent.receipt import ReceiptError, verify
from consent.unreadable import UNREADABLE
from custody import formats
from receiver import settings as receiver_settings
from receiver.errors import ReceiverError
from tests import hostile
from tests.policies import as_bytes, policy
from transport import enrolling, erasing, exempting, jobs, recovery, retrieving, segment
from transport.batch import MAX_UNPACKED_BYTES, unpack
from transport.bounds import MAX_ENVELOPE_BYTES
from transport.compress import compress
from transport.envelope import parse
from transport.errors import TransportError
from transport.exemption_proof import BadDecision, read_decision
from transport.jobs import Answered
from transport.results import result_of

ID = "ab" * 32


def _answer(raw: bytes) -> Answered:
    return Answered(1, 200, None, None, raw)


def _ledger(raw: bytes) -> object:
    path = Path(os.environ["PYTEST_PARSERS"]) / "ledger"
    path.write_bytes(raw)
    ledger = Ledger(path)
    ledger.close()
    return ledger.entries


def _read(read: Callable[[Path], object]) -> Callable[[bytes], object]:
    def parser(raw: bytes) -> object:
        path = Path(os.environ["PYTEST_PARSERS"]) / "settings.toml"
        path.write_bytes(raw)
        return read(path)

    return parser


def _text(parser: Callable[[str], object]) -> Callable[[bytes], object]:
    return lambda raw: parser(raw.decode("utf-8", "surrogateescape"))


_ASKING = erasing.Asking(pseudonym=b"p" * 32, purpose="study", day="2026-11-21", consent=1, batches=None)  # type: ignore[arg-type]
# name: (parser, what it may raise)
JSON: dict[str, tuple[Callable[[bytes], object], tuple[type[Exception], ...]]] = {
    "policy": (parse_policy, (PolicyError,)),
    "receipt": (_text(lambda text: verify(text, b"k" * 32)), (ReceiptError,)),
    "ledger": (lambda raw: _ledger(raw + b"\n"), (LedgerError,)),
    "nonce": (lambda raw: erasing.nonce_of(_answer(raw)), (erasing.ErasureError,)),
    "purposes": (lambda raw: retrieving.purposes_of(_answer(raw)), (TransportError,)),
    "erasure receipt": (lambda raw: erasing.receipt_of(_answer(raw), _ASKING), (erasing.ErasureError,)),
    "decision": (_text(lambda text: read_decision(text, ID, b"k" * 32)), (BadDecision,)),
    "custodian's private key": (formats.decode_private, (TransportError, formats.KeyFileRefused)),
    "custodian's public key": (formats.decode_public, (TransportError, formats.KeyFileRefused)),
    "purpose file": (formats.decode_purpose, (TransportError, formats.KeyFileRefused)),
}
BYTES: dict[str, tuple[Callable[[bytes], object], tuple[type[Exception], ...]]] = JSON | {
    "answer about a decision": (lambda raw: exempting.decision_of(_answer(raw)), ()),
    "upload's answer": (lambda raw: result_of(_answer(raw), ID), ()),
    "envelope": (parse, (TransportError,)),
    "payload": (unpack, (TransportError,)),
    "packed payload": (lambda raw: unpack(compress(raw)), (TransportError,)),
    "segment": (lambda raw: segment.read(raw, bytes(32)), (TransportError,)),
    "fleet token": (_text(enrolling.check_token), (TransportError,)),
    "recovery code": (_text(recovery.parse), (TransportError,)),
    "request": (messages.decode_request.decode, UNREADABLE),
    "daemon's answer": (messages.decode_answer.decode, UNREADABLE),
    "observer's message": (decode_up.decode, UNREADABLE),
    "courier's job": (jobs.decode_job.decode, UNREADABLE),
    "courier's answer": (lambda raw: jobs.Hearing().hear(raw), UNREADABLE),
    "frames": (lambda raw: Splitter().feed(raw), (FrameError,)),
    "agent's settings": (_read(agent_settings.read), (AgentError,)),
    "receiver's settings": (_read(receiver_settings.read), (ReceiverError,)),
}


@pytest.fixture(autouse=True)
def _somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_PARSERS", str(tmp_path))


def _survives(parser: Callable[[bytes], object], allowed: tuple[type[Exception], ...], raw: bytes) -> bool:
    """Whether it was taken. Any error that is not the parser's own fails the test."""
    try:
        parser(raw)
    except allowed:
        return False
    return True


@pytest.mark.parametrize("name", JSON)
def test_malformed_and_wrong_json_is_refused_in_the_parsers_own_words(name: str) -> None:
    """No case of JSONTestSuite's kind, no NaN and no depth is taken, and none raises anything but the parser's own error."""
    parser, allowed = JSON[name]
    for what, raw in (hostile.MALFORMED_JSON | hostile.WRONG_JSON).items():
        assert not _survives(parser, allowed, raw), what


@pytest.mark.parametrize("name", BYTES)
def test_hostile_bytes_end_in_the_parsers_own_error(name: str) -> None:
    """The same bytes, and naughty strings, through the parsers that read something else."""
    parser, allowed = BYTES[name]
    for raw in (*hostile.MALFORMED_JSON.values(), *hostile.WRONG_JSON.values(), *hostile.naughty_json("id")):
        _survives(parser, allowed, raw)


@pytest.mark.parametrize("name", BYTES)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(st.binary(max_size=300))
def test_any_bytes_end_in_the_parsers_own_error(name: str, raw: bytes) -> None:
    """Whatever bytes they are."""
    parser, allowed = BYTES[name]
    _survives(parser, allowed, raw)


@pytest.mark.parametrize("answer", hostile.MALFORMED_JSON.values(), ids=list(hostile.MALFORMED_JSON))
def test_no_malformed_answer_makes_an_envelope_sent(answer: bytes) -> None:
    """A hotel's sign-in page, or a receiver gone mad, is never taken for an acknowledgement."""
    assert "Accepted" not in repr(result_of(_answer(answer), ID))


@pytest.mark.parametrize("text", hostile.NAUGHTY, ids=range(len(hostile.NAUGHTY)))
def test_a_policy_with_naughty_strings_is_a_policy_or_refused(text: str) -> None:
    """In every free field: read as it stands, or refused in one line that does not repeat it."""
    for field in ("controller", "receiver"):
        _survives(parse_policy, (PolicyError,), as_bytes(policy(**{field: text})))
    _survives(parse_policy, (PolicyError,), as_bytes(policy(surfaces=[{"id": text, "name": text, "executables": [text]}])))


def test_numbers_that_are_none_are_refused_in_a_policy() -> None:
    """NaN, Infinity and 1e999 where a number belongs."""
    for number in ("NaN", "Infinity", "-Infinity", "1e999", "9" * 5000, "1.5", '"900"', "true"):
        raw = as_bytes(policy()).replace(b'"hold_min_s": 900', b'"hold_min_s": ' + number.encode())
        with pytest.raises(PolicyError):
            parse_policy(raw)


def test_a_bomb_is_refused_before_it_is_inflated() -> None:
    """A payload that would inflate to a gigabyte costs no more than the bound."""
    bomb = compress(bytes(1024 * 1024 * 64))
    assert len(bomb) < 10_000
    with pytest.raises(TransportError, match=str(MAX_UNPACKED_BYTES)):
        unpack(bomb)
    with pytest.raises(TransportError):
        parse(bytes(MAX_ENVELOPE_BYTES + 1))


def test_the_status_object_takes_no_number_that_json_has_not() -> None:
    """`status --json` is read by scripts: what is no JSON is no status, and no field of it can hold NaN."""
    for raw in hostile.MALFORMED_JSON.values():
        with pytest.raises(UNREADABLE):
            msgspec.json.decode(raw, type=Status)
    fields: list[Any] = [field.type for field in msgspec.structs.fields(Status)]
    assert float not in fields
