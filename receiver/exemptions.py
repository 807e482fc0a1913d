"""POST /v1/exemptions, its erasure, and the decision: requests come in, wait for the reviewer, and are forgotten. Opens no reason.

A request is taken from an enrolled device's hand only, and nothing of the device is kept with it, nor of the request with the device:
how many came from one today is known while this process lives. The id is a capability: who has it may read the decision and have the
request forgotten. Of an id that is not known the answer is the same as of one that waits.
"""

from collections import Counter
from datetime import date
from typing import Annotated, Any

import msgspec
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from consent.exemption import Ground
from receiver import bodies, exemption_rows, fleet_rows
from receiver.accept import check_id
from receiver.enrolment import verify_device
from receiver.errors import Refused
from receiver.running import Running, running
from transport.bounds import MAX_NAMED, SEALED_BYTES
from transport.exemption_proof import Asking, asking_message

MAX_A_DAY = 16
"""Requests of one device. A person asks once in a while; a thousand a day would hide those of others."""
_BODY_BYTES = 24 * 1024
"""A sealed reason in base64 is 4 KiB, and 64 names each of surfaces and kinds are 8."""
_REASON_CHARACTERS = -(-SEALED_BYTES // 3) * 4

_REVIEWED = "|".join(ground for ground in Ground if ground is not Ground.MY_CHOICE)
"""A person's own choice is nobody else's business, and is refused here."""

_Id = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}\z")]
_Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,62}\z")]
_Names = Annotated[list[_Name], Field(max_length=MAX_NAMED)]


class ExemptionRequest(BaseModel):
    """The body of POST /v1/exemptions: a request, the device that hands it in, and its signature over the request."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: _Id
    ground: Annotated[str, StringConstraints(pattern=rf"^({_REVIEWED})\z")]
    surfaces: _Names
    kinds: _Names
    hours: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[ -~]+\z")]
    until: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}\z")] | None
    appeal: _Id | None
    reason: Annotated[str, StringConstraints(pattern=rf"^[0-9A-Za-z+/]{{{_REASON_CHARACTERS - 2}}}[0-9A-Za-z+/=]{{2}}\z")] | None
    device: _Id
    signature: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{128}\z")]


class ExemptionErasure(BaseModel):
    """The body of POST /v1/exemption-erasures."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: _Id


class Handed:
    """How many requests each device handed in today. In memory, so that no copy of any disk tells who asked."""

    def __init__(self) -> None:
        self._day: date | None = None
        self._counts: Counter[bytes] = Counter()

    def check(self, device: bytes, today: date) -> None:
        """Raises Refused (429) for a device that has had its day's share."""
        if today != self._day:
            self._day, self._counts = today, Counter()
        if self._counts[device] >= MAX_A_DAY:
            raise Refused(429, "this device handed in enough requests today", "wait for tomorrow", retry_after_s=3600)

    def count(self, device: bytes) -> None:
        """One more."""
        self._counts[device] += 1


async def post_exemption(request: Request) -> Response:
    """Takes a request in: 201 now, 200 it was here, 409 another of this id was."""
    here = running(request)
    asked = await bodies.read_json(request, ExemptionRequest, here.site.settings.upload_deadline_s, _BODY_BYTES)
    asking = _asking(asked)
    device = bytes.fromhex(asked.device)
    verify_device(device, bytes.fromhex(asked.signature), asking_message(asking))
    handed: Handed = request.app.state.handed
    new = await here.writer.alone(lambda: _take_in(here, handed, device, asking))
    return JSONResponse({"id": asking.id}, 201 if new else 200)


def _asking(asked: ExemptionRequest) -> Asking:
    stated: dict[str, Any] = asked.model_dump(exclude={"device", "signature"})
    try:
        return msgspec.convert(stated, Asking)
    except msgspec.ValidationError:
        raise Refused(422, "the request's day or reason is none", "send it as docs/receiver.md says") from None


def _take_in(here: Running, handed: Handed, device: bytes, asking: Asking) -> bool:
    today = here.now().date()
    with here.depot.writing() as connection:
        if not fleet_rows.is_enrolled(connection, device):
            raise Refused(403, "this device is not enrolled", "enrol it with a fleet token")
        known = exemption_rows.find(connection, asking.id)
        if known is not None:
            if msgspec.structs.replace(known.asking, reason=None) != msgspec.structs.replace(asking, reason=None):
                raise Refused(409, "another request has this id", "ask under a fresh one")
            return False
        handed.check(device, today)
        exemption_rows.add(connection, asking, today)
    handed.count(device)
    return True


async def get_decision(request: Request) -> Response:
    """The signed decision about a request; null while there is none, and for an id that is not known."""
    here, request_id = running(request), check_id(request.path_params["id"])
    return JSONResponse({"decision": await run_in_threadpool(_decision, here, request_id)})


def _decision(here: Running, request_id: str) -> str | None:
    with here.site.engine.connect() as connection:
        found = exemption_rows.find(connection, request_id)
    return None if found is None else found.decision


async def post_erasure(request: Request) -> Response:
    """Forgets a request and its decision, because who has its id says so. The same answer where there was none."""
    here = running(request)
    asked = await bodies.read_json(request, ExemptionErasure, here.site.settings.upload_deadline_s)
    await here.writer.alone(lambda: _forget(here, asked.id))
    return JSONResponse({"forgotten": True})


def _forget(here: Running, request_id: str) -> None:
    with here.depot.writing() as connection:
        exemption_rows.drop(connection, request_id)


ROUTES = [
    Route("/v1/exemptions", post_exemption, methods=["POST"]),
    Route("/v1/exemption-erasures", post_erasure, methods=["POST"]),
    Route("/v1/exemptions/{id}", get_decision, methods=["GET"]),
]
