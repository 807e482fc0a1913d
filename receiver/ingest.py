"""PUT /v1/batches/{id}: takes an envelope in. Refuses to answer 201 before file, folder and row are durable."""

from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from receiver import bodies
from receiver.accept import Outcome, check_id, judge, refusal
from receiver.running import running


async def put_batch(request: Request) -> Response:
    """201 stored now, 200 stored before, 409 taken back by its subject, 403 not of a registered pseudonym."""
    here = running(request)
    batch_id = check_id(request.path_params["id"])
    with here.admission():
        raw = await bodies.read(request, here.site.settings.upload_deadline_s)
        offer = await here.writer.judged(partial(judge, batch_id, raw, await here.terms.now()))
        outcome = await here.writer.store(offer)
    refused = refusal(outcome)
    if refused is not None:
        raise refused
    return JSONResponse({"id": batch_id, "outcome": outcome.value}, 201 if outcome is Outcome.STORED else 200)


ROUTES = [Route("/v1/batches/{id}", put_batch, methods=["PUT"])]
