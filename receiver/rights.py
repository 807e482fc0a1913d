"""What subjects do by proof, and what anyone may read: erasure, and the access log. Refuses no valid proof, and asks for no reason."""

import os
from dataclasses import asdict
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy.engine import Engine
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from receiver import bodies, nonce, records
from receiver.access import FIRST_PREVIOUS, Access, bounded
from receiver.erasure import prove
from receiver.errors import Refused
from receiver.running import running

MAX_LISTED = 10_000
MAX_ERASED = 1_000
"""Ids in one erasure; an agent asks for 400 at once."""
_ERASURE_BYTES = 128 * 1024
_PAGE = 200

BatchId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}\z")]
PseudonymText = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}\z")]
SignatureText = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{128}\z")]
NonceText = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{80}\z")]


class ErasureRequest(BaseModel):
    """The body of POST /v1/erasures. Without `batches`: everything of this pseudonym, then and later."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pseudonym: PseudonymText
    nonce: NonceText
    signature: SignatureText
    batches: Annotated[list[BatchId], Field(min_length=1, max_length=MAX_ERASED)] | None = None


async def get_nonce(request: Request) -> Response:
    """A nonce to sign."""
    here = running(request)
    minted = nonce.mint(here.site.nonce_key, here.now(), os.urandom(nonce.RANDOM_BYTES))
    return JSONResponse({"nonce": minted, "lifetime_s": nonce.LIFETIME_S})


async def post_erasure(request: Request) -> Response:
    """Erases, and answers the signed receipt. Not counted among uploads: a receiver that is busy still erases."""
    here = running(request)
    asked = await bodies.read_json(request, ErasureRequest, here.site.settings.upload_deadline_s, _ERASURE_BYTES)
    wish = prove(
        pseudonym=bytes.fromhex(asked.pseudonym),
        nonce=asked.nonce,
        batches=None if asked.batches is None else tuple(asked.batches),
        signature=bytes.fromhex(asked.signature),
        nonce_key=here.site.nonce_key,
        now=here.now(),
    )
    receipt = await here.writer.alone(lambda: here.depot.erase(wish, here.now()))
    return Response(receipt, media_type="application/json")


async def get_access(request: Request) -> Response:
    """A page of the access log, in order, from behind `?after=`."""
    here = running(request)
    after = request.query_params.get("after", "0")
    if not after.isascii() or not after.isdigit() or len(after) > 15:
        raise Refused(422, "`after` is not the id of a record", "ask for the whole log, or from behind a record's id")
    found = await run_in_threadpool(_page, here.site.engine, int(after))
    page = bounded(found, MAX_LISTED)
    more = len(page) < len(found) or len(found) == _PAGE
    return JSONResponse({"first_previous": FIRST_PREVIOUS, "records": [asdict(record) for record in page], "more": more})


def _page(engine: Engine, after: int) -> list[Access]:
    with engine.connect() as connection:
        return records.accesses(connection, after, _PAGE)


ROUTES = [
    Route("/v1/erasures/nonce", get_nonce, methods=["GET"]),
    Route("/v1/erasures", post_erasure, methods=["POST"]),
    Route("/v1/access", get_access, methods=["GET"]),
]
