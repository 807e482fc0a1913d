"""The receiver's log: one JSON object a line. Refuses addresses, ids, paths, headers and bodies: a line holds what is named here only.

Lengths are refused, too: a row holds its envelope's, so a line with the time and the same length would tell when that one came.
"""

import json
import sys
import traceback
from collections.abc import Callable
from datetime import datetime
from logging import Handler, LogRecord
from pathlib import Path

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Lines:
    """Wraps the application: a line for each request, and one for what it did not catch (type and place, never its text)."""

    def __init__(self, app: ASGIApp, now: Callable[[], datetime], elapsed_s: Callable[[], float]) -> None:
        self._app = app
        self._now = now
        self._elapsed_s = elapsed_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI asks."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started_s = self._elapsed_s()
        status = 499  # the sender went away before there was an answer

        async def noted_send(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        fault = None
        try:
            await self._app(scope, receive, noted_send)
        except Exception as error:  # the boundary of a request
            fault = place_of(error)
        line: dict[str, object] = {"at": self._now().isoformat(timespec="milliseconds"), "method": scope["method"]}
        line |= {"route": getattr(scope.get("route"), "path", "none"), "status": status}
        line["duration_ms"] = round((self._elapsed_s() - started_s) * 1000, 1)
        write(line | ({"fault": fault} if fault else {}))


class Quoted(Handler):
    """Turns what the server library logs into a line: logger and level; its text only if it is a constant one.

    Behind a first line uvicorn puts whole tracebacks; asyncio puts reprs of what failed, arguments and messages, into any line.
    """

    def emit(self, record: LogRecord) -> None:
        """Writes the line."""
        fault = place_of(record.exc_info[1]) if record.exc_info and record.exc_info[1] else None
        line: dict[str, object] = {"from": record.name, "level": record.levelname, "what": _constant(record)}
        write(line | ({"fault": fault} if fault else {}))


def write(line: dict[str, object]) -> None:
    """One line on standard error."""
    sys.stderr.write(json.dumps(line) + "\n")
    sys.stderr.flush()


def _constant(record: LogRecord) -> str:
    if record.name == "asyncio" or not isinstance(record.msg, str):
        return "it met an error that it did not expect"
    return record.msg.partition("\n")[0]


def place_of(error: BaseException) -> str:
    """Type and place of an exception, without its text, which may hold what came in."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "nowhere"
    return f"{type(error).__name__} at {where}"
