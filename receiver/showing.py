"""A subject sees and fetches what one of their pseudonyms sent, by proof. Refuses to tell one pseudonym's batches to another."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from receiver import bodies, proof, records
from receiver.errors import Refused
from receiver.rights import BatchId, NonceText, PseudonymText, SignatureText
from receiver.running import Running, running
from transport.header import EnvelopeError
from transport.listing_proof import fetching_message, listing_message

_PAGE = 400  # 110 bytes each: what an agent's courier can carry in one answer


class ListingRequest(BaseModel):
    """The body of POST /v1/listing."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pseudonym: PseudonymText
    nonce: NonceText
    signature: SignatureText
    after: Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{64})?\z")] = ""


class FetchRequest(BaseModel):
    """The body of POST /v1/listing/fetch."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pseudonym: PseudonymText
    nonce: NonceText
    signature: SignatureText
    batch: BatchId


async def post_listing(request: Request) -> Response:
    """Ids, lengths and days of a pseudonym's batches, a page at a time."""
    here = running(request)
    asked = await bodies.read_json(request, ListingRequest, here.site.settings.upload_deadline_s)
    _check(here, asked, listing_message(asked.nonce, asked.after))
    rows = await run_in_threadpool(_rows, here, bytes.fromhex(asked.pseudonym), asked.after)
    batches = [{"id": row.id, "bytes": row.envelope_bytes, "stored_on": row.stored_on.isoformat()} for row in rows]
    return JSONResponse({"batches": batches, "more": len(rows) == _PAGE})


async def post_fetch(request: Request) -> Response:
    """One envelope of the pseudonym's, as it came."""
    here = running(request)
    asked = await bodies.read_json(request, FetchRequest, here.site.settings.upload_deadline_s)
    _check(here, asked, fetching_message(asked.nonce, asked.batch))
    raw = await run_in_threadpool(_sealed, here, bytes.fromhex(asked.pseudonym), asked.batch)
    return Response(raw, media_type="application/octet-stream")


def _check(here: Running, asked: ListingRequest | FetchRequest, message: bytes) -> None:
    proof.check(
        pseudonym=bytes.fromhex(asked.pseudonym),
        nonce=asked.nonce,
        signature=bytes.fromhex(asked.signature),
        message=message,
        nonce_key=here.site.nonce_key,
        now=here.now(),
    )


def _rows(here: Running, pseudonym: bytes, after: str) -> list[records.Row]:
    with here.site.engine.connect() as connection:
        return records.ids_of(connection, pseudonym, after, _PAGE)


def _sealed(here: Running, pseudonym: bytes, batch_id: str) -> bytes:
    _require(here, pseudonym, batch_id)
    try:
        return here.site.vault.read(batch_id)[0]
    except (OSError, EnvelopeError) as error:
        _require(here, pseudonym, batch_id)  # erased in between
        raise Refused(500, "the stored envelope is damaged", "run `volens-receiver check`") from error


def _require(here: Running, pseudonym: bytes, batch_id: str) -> None:
    with here.site.engine.connect() as connection:
        row = next(iter(records.find(connection, [batch_id])), None)
    if row is None or row.pseudonym != pseudonym:
        raise Refused(404, "this pseudonym has no such batch here", "list its batches")
    if row.erased:
        raise Refused(410, "this batch was erased", "leave it out")


ROUTES = [Route("/v1/listing", post_listing, methods=["POST"]), Route("/v1/listing/fetch", post_fetch, methods=["POST"])]
