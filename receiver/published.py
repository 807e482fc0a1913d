"""GET /v1/tuf/...: the TUF repository's files, as they are. Refuses every name but a plain one in `metadata` or `targets`."""

import os
import re
import stat
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from receiver.errors import Refused
from receiver.running import running

_NAME = re.compile(r"(metadata|targets)/[A-Za-z0-9][A-Za-z0-9._-]{0,200}\.json")
_MAX_BYTES = 8 * 1024 * 1024  # python-tuf reads at most 5 MB of targets metadata


async def get_file(request: Request) -> Response:
    """One file; 404 for anything else, which is how a TUF client learns that there is no newer root."""
    name = request.path_params["path"]
    content = None
    if _NAME.fullmatch(name):
        content = await run_in_threadpool(_read, running(request).site.tuf / name)
    if content is None:
        raise Refused(404, "nothing is published under this name", "ask for a file of the TUF repository")
    return Response(content, media_type="application/json", headers={"cache-control": "no-cache"})


def _read(path: Path) -> bytes | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > _MAX_BYTES:
            return None
        with open(descriptor, "rb", closefd=False) as file:
            return file.read()
    finally:
        os.close(descriptor)


ROUTES = [Route("/v1/tuf/{path:path}", get_file, methods=["GET"])]
