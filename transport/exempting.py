"""Asking for an exemption and for its decision: how it is spelled, and what the answers mean. Pure."""

from enum import Enum

import msgspec

from consent.unreadable import UNREADABLE
from transport.enrolling import DeviceKey
from transport.exemption_proof import MAX_DECISION_BYTES, Asking, asking_message
from transport.jobs import Answer, Answered, Request, get, post

_MAX_ANSWER_BYTES = 2 * MAX_DECISION_BYTES
"""A decision travels as JSON within JSON; its quotes are escaped."""


class _Asked(msgspec.Struct):
    decision: str | None


class Handed(Enum):
    """What became of a request that was handed in."""

    IN = "in"
    REFUSED = "refused"
    """The receiver takes it in from nobody: it stays off, and nobody decides."""
    LATER = "later"


def asking_request(job: int, receiver_url: str, device: DeviceKey, asking: Asking) -> tuple[Request, bytes]:
    """Hand a request in. Sent again as it is until it is answered."""
    stated = msgspec.to_builtins(asking) | {"device": device.public.hex(), "signature": device.sign(asking_message(asking)).hex()}
    return post(job, receiver_url, "/v1/exemptions", stated)


def handed_of(answer: Answer) -> Handed:
    """What the receiver's answer means."""
    if isinstance(answer, Answered) and answer.status in (200, 201):
        return Handed.IN
    return Handed.REFUSED if isinstance(answer, Answered) and answer.status in (409, 422) else Handed.LATER


def decision_request(job: int, receiver_url: str, request_id: str) -> Request:
    """Ask for the decision."""
    return get(job, receiver_url, f"/v1/exemptions/{request_id}", max_answer_bytes=_MAX_ANSWER_BYTES)


def decision_of(answer: Answer) -> str | None:
    """The signed decision, not judged yet; None if there is none, or no answer."""
    if not isinstance(answer, Answered) or answer.status != 200:
        return None
    try:
        return msgspec.json.decode(answer.body, type=_Asked).decision
    except UNREADABLE:
        return None


def forgetting_request(job: int, receiver_url: str, request_id: str) -> tuple[Request, bytes]:
    """Have a request forgotten, with its decision."""
    return post(job, receiver_url, "/v1/exemption-erasures", {"id": request_id})


def forgotten(answer: Answer) -> bool:
    """Whether the receiver has it no more."""
    return isinstance(answer, Answered) and answer.status == 200
