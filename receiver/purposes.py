"""GET /v1/purposes: of which purposes there may be something here, and for how long. Open to everyone; the policy says the same.

A subject needs it to find what was sent with nothing but the recovery code. Refuses to say whether there is anything, or how much: of a
purpose that is not in force any more it tells the retention under which the last of it came, and nothing once all of it is gone.
"""

from datetime import date
from functools import lru_cache

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from receiver.running import running
from receiver.tables import batch


async def get_purposes(request: Request) -> Response:
    """Names and retention of present and previous purposes."""
    here = running(request)
    current = {name: terms.retention_days for name, terms in (await here.terms.now()).items()}
    before = await run_in_threadpool(_before, here.site.engine, frozenset(current), here.now().date())
    known = [{"name": name, "retention_days": days} for name, days in sorted((before | current).items())]
    return JSONResponse({"purposes": known, "late_days": here.site.settings.late_days})


@lru_cache(maxsize=4)
def _before(engine: Engine, current: frozenset[str], today: date) -> dict[str, int]:
    """Previous purposes of which something is here; read once a day, so that asking often costs nothing."""
    kept = sa.select(batch.c.purpose, batch.c.stored_on, batch.c.keep_until).where(~batch.c.erased, batch.c.purpose.not_in(current))
    days: dict[str, int] = {}
    with engine.connect() as connection:
        for row in connection.execute(kept.distinct()):
            until = row.keep_until or today
            days[row.purpose] = max(days.get(row.purpose, 0), (until - row.stored_on).days)
    return days


ROUTES = [Route("/v1/purposes", get_purposes, methods=["GET"])]
