"""Reads request bodies within bounds of bytes and time. Refuses what is longer, slower or otherwise shaped; no answer repeats what came."""

import asyncio
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from receiver.accept import MAX_BODY_BYTES, check_announced, check_length
from receiver.errors import Refused

SMALL_BYTES = 8 * 1024
"""For JSON that lists at most a day's identities. Nobody takes a place for such a request, so thousands at once must not cost memory."""

_Body = TypeVar("_Body", bound=BaseModel)


async def read(request: Request, deadline_s: float, max_bytes: int = MAX_BODY_BYTES) -> bytes:
    """All of a body, of at most so many bytes.

    Raises:
        Refused: 408 too slow, 411 none announced, 413 too long, at the first byte that is too much.
        ClientDisconnect: the sender went away.
    """
    check_announced(request.headers.get("content-length"), "transfer-encoding" in request.headers, max_bytes)
    chunks: list[bytes] = []
    body_bytes = 0
    try:
        async with asyncio.timeout(deadline_s):
            async for chunk in request.stream():
                body_bytes += len(chunk)
                check_length(body_bytes, max_bytes)
                chunks.append(chunk)
    except TimeoutError:
        raise Refused(408, f"the body took longer than {deadline_s:g} s", "send it again on a better line") from None
    return b"".join(chunks)


async def read_json(request: Request, shape: type[_Body], deadline_s: float, max_bytes: int = SMALL_BYTES) -> _Body:
    """A JSON body of a shape. Raises Refused as `read` does, and 422 for any other shape."""
    raw = await read(request, deadline_s, max_bytes)
    try:
        return shape.model_validate_json(raw)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"] if part in shape.model_fields) or "body"
        raise Refused(422, f"the request's {place} is not as it must be ({first['type']})", "docs/receiver.md shows the request") from None
