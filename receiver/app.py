"""The receiver's application: routes, errors, life and end. Refuses in small JSON: what was wrong, and what to do.

Nothing here or below can read a batch: there is no key on this side.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, astuple
from datetime import datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp

from receiver import chores, clock, exemptions, fleet, ingest, lines, opening, policy_repo, published, purposes, rights, showing
from receiver.depot import Depot, Rules
from receiver.errors import ReceiverError, Refused
from receiver.in_force import InForce
from receiver.running import Running, running
from receiver.site import Site
from receiver.writer import Writer

_CHORES_EVERY_S = 3600


def prepare(site: Site, now: Callable[[], datetime] = clock.now) -> Running:
    """The parts of a receiver that is about to run on this folder; finishes what the last one left undone."""
    settings = site.settings
    rules = Rules(settings.backups_kept_days, settings.reserve_bytes, settings.late_days, open_to_all=settings.trial)
    depot = Depot(site.engine, site.vault, site.log, site.receipt_key, rules)
    depot.recover(now())
    writer = Writer(depot, now)
    return Running(site, depot, writer, InForce(site.tuf, site.engine, writer.alone, now), now)


def make(here: Running) -> ASGIApp:
    """The ASGI application of a receiver."""
    routes = [*ingest.ROUTES, *rights.ROUTES, *showing.ROUTES, *fleet.ROUTES, *opening.ROUTES, *published.ROUTES, *purposes.ROUTES]
    routes += exemptions.ROUTES
    routes += [Route("/healthz", get_health, methods=["GET"]), Route("/readyz", get_readiness, methods=["GET"])]
    app = Starlette(
        routes=routes,
        lifespan=_life,
        exception_handlers={Refused: _refuse, HTTPException: _refuse_http, ClientDisconnect: _went_away, Exception: _fail},
    )
    app.router.redirect_slashes = False  # nothing here redirects: an address made from a request's own headers is not ours to give out
    app.state.running = here
    app.state.handed = exemptions.Handed()
    return lines.Lines(app, here.now, clock.elapsed_s)


async def get_health(_request: Request) -> Response:
    """200 as long as the process answers."""
    return JSONResponse({"healthy": True})


async def get_readiness(request: Request) -> Response:
    """200 when envelopes can be taken in, 503 with the reason when not."""
    why = await running(request).why_not_ready()
    return JSONResponse({"ready": why is None, "why": why}, 503 if why else 200)


@asynccontextmanager
async def _life(app: Starlette) -> AsyncIterator[None]:
    here: Running = app.state.running
    tasks = [asyncio.create_task(each) for each in (here.writer.run(), _renew_lease(here), _do_chores(here))]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        here.writer.close()
        here.site.engine.dispose()


async def _renew_lease(here: Running) -> None:
    """Signs the timestamp anew, now and every so often, as long as this receiver is sound. When it is not, the agents' lease runs out."""
    settings = here.site.settings
    if here.site.online_key is None:
        return
    while True:
        if await here.why_not_ready() is None:
            try:
                lifetime = timedelta(seconds=settings.lease_s)
                await asyncio.to_thread(policy_repo.renew_timestamp, here.site.tuf, here.site.online_key, here.now(), lifetime)
            except (OSError, ReceiverError) as error:
                lines.write({"what": "the policy's timestamp was not renewed", "fault": lines.place_of(error)})
        await asyncio.sleep(settings.lease_renewed_s)


async def _do_chores(here: Running) -> None:
    """Retention, forgetting, and the end of the day: now and every hour."""
    while True:
        try:
            done = await chores.do_all(here.depot, here.writer.alone, await here.terms.now(), here.now())
            if any(astuple(done)):
                lines.write({"what": "chores done", **asdict(done)})
        except (OSError, SQLAlchemyError) as error:
            lines.write({"what": "the chores were not finished; they are tried again", "fault": lines.place_of(error)})
        await asyncio.sleep(_CHORES_EVERY_S)


async def _refuse(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    # Closing spares reading the rest of a body that is refused anyway.
    headers = {"connection": "close"}
    if error.retry_after_s is not None:
        headers["retry-after"] = str(error.retry_after_s)
    if error.__cause__ is not None:
        lines.write({"what": error.what, "fault": lines.place_of(error.__cause__)})
    return JSONResponse({"error": error.what, "do": error.do}, error.status, headers)


async def _refuse_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code != 405:
        return JSONResponse({"error": "there is no such route", "do": "docs/receiver.md lists them"}, error.status_code, error.headers)
    # One path may be two routes; Starlette names the methods of the first only.
    there = [route for route in request.app.routes if route.matches(request.scope)[0] is not Match.NONE]
    allowed = ", ".join(sorted({method for route in there for method in route.methods}))
    return JSONResponse({"error": "this route has no such method", "do": f"it has {allowed}"}, 405, {"allow": allowed})


async def _went_away(_request: Request, _error: Exception) -> Response:
    return Response(status_code=499)  # nobody reads it; the log says so


async def _fail(_request: Request, _error: Exception) -> Response:
    return JSONResponse({"error": "the receiver failed", "do": "try again later"}, 500, {"retry-after": "300"})
