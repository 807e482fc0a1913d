"""What custodians need to open batches: ids, sealed envelopes, and the access record that must come first.

Refuses an envelope without a record that names it, and every caller but this machine itself until custodians can prove who they are.
"""

import ipaddress
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from receiver import bodies, records
from receiver.accept import MAX_BODY_BYTES, check_id
from receiver.errors import Refused
from receiver.rights import MAX_LISTED, BatchId
from receiver.running import Running, running
from transport.header import EnvelopeError

RECORD_HEADER = "x-volens-access"
_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
_PAGE = MAX_LISTED  # as many as one access record can name


class AccessRequest(BaseModel):
    """The body of POST /v1/access."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    purpose: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,63}\z")]
    reason: Annotated[
        str, StringConstraints(strip_whitespace=True, max_length=500, pattern=r"^[^\x00-\x1f\x7f]+\z")
    ]  # every subject reads it
    batches: Annotated[list[BatchId], Field(min_length=1, max_length=MAX_LISTED)]


async def post_access(request: Request) -> Response:
    """Writes down who will open what and why, before anything is opened."""
    here = _from_this_machine(request)
    asked = await bodies.read_json(request, AccessRequest, here.site.settings.upload_deadline_s, MAX_BODY_BYTES)
    record = await here.writer.alone(
        lambda: here.depot.note_access(purpose=asked.purpose, reason=asked.reason, batches=asked.batches, now=here.now())
    )
    return JSONResponse({"record": record.id, "hash": record.hash}, 201)


async def get_ids(request: Request) -> Response:
    """Ids of a purpose's batches, and nothing else about them, a page at a time from behind `?after=`."""
    here = _from_this_machine(request)
    purpose, after = request.query_params.get("purpose", ""), request.query_params.get("after", "")
    if purpose not in await here.terms.now():
        raise Refused(422, "the policy in force has no such purpose", "name one with `?purpose=`")
    page = await run_in_threadpool(_ids, here, purpose, after)
    return JSONResponse({"batches": page, "more": len(page) == _PAGE})


async def get_batch(request: Request) -> Response:
    """A sealed envelope, for the access record that names it."""
    here = _from_this_machine(request)
    batch_id = check_id(request.path_params["id"])
    raw = await run_in_threadpool(_sealed, here, batch_id, request.headers.get(RECORD_HEADER, ""))
    return Response(raw, media_type="application/octet-stream")


def _ids(here: Running, purpose: str, after: str) -> list[str]:
    with here.site.engine.connect() as connection:
        return records.ids_for(connection, purpose, after, _PAGE)


def _sealed(here: Running, batch_id: str, record_id: str) -> bytes:
    number = int(record_id) if record_id.isascii() and record_id.isdigit() and len(record_id) <= 15 else 0
    with here.site.engine.connect() as connection:
        record = next(iter(records.accesses(connection, number - 1, 1)), None) if number else None
        if record is None or record.id != number or not record.covers(batch_id):
            raise Refused(403, "no access record names this batch", "write one with POST /v1/access first")
    _refuse_erased(here, batch_id)  # a disk that failed in the middle of an erasure may have left the files until the next start
    try:
        return here.site.vault.read(batch_id)[0]
    except (OSError, EnvelopeError) as error:
        _refuse_erased(here, batch_id)  # after the files: an erasure is written down before it touches them
        raise Refused(500, "the stored envelope is damaged", "run `volens-receiver check`") from error


def _refuse_erased(here: Running, batch_id: str) -> None:
    with here.site.engine.connect() as connection:
        if all(row.erased for row in records.find(connection, [batch_id])):
            raise Refused(410, "its subject had this erased", "leave it out")


def _from_this_machine(request: Request) -> Running:
    """Refuses (403) all but direct requests over loopback: a proxy on this machine must not open these routes to others."""
    host = request.url.hostname or ""
    peer = request.client.host if request.client else ""
    direct = not any(name in request.headers for name in _FORWARDED)
    if not (_is_loopback(peer) and direct and (host == "localhost" or _is_loopback(host))):
        raise Refused(403, "custodians' routes answer on the receiver's own machine only", "open there")
    return running(request)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


ROUTES = [
    Route("/v1/access", post_access, methods=["POST"]),
    Route("/v1/custody/batches", get_ids, methods=["GET"]),
    Route("/v1/custody/batches/{id}", get_batch, methods=["GET"]),
]
