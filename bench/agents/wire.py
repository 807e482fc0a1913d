"""One upload over a connection of its own, as the courier does it, and what can go wrong with it on purpose."""

import asyncio
import contextlib
import socket
import struct
from dataclasses import dataclass
from enum import StrEnum

from transport.jobs import Answer, Answered, Failed, Trouble

DEADLINE_S = 30.0
_NO_LINGER = (socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
_SEND_BYTES = 16 * 1024


class Fault(StrEnum):
    """What is done to a request."""

    RESET = "connection reset in the body"
    LOST = "acknowledgement lost"


@dataclass(frozen=True, slots=True)
class Upload:
    """What to send, and what is to happen to it.

    Attributes:
        fault: None for nothing.
        cut_at: of RESET: after so many bytes of the body.
    """

    id: str
    raw: bytes
    fault: Fault | None
    cut_at: int


async def send(address: tuple[str, int], upload: Upload) -> Answer:
    """What came back; a refused connection, a broken one and a deadline are answers as well."""
    whole = False
    try:
        async with asyncio.timeout(DEADLINE_S):
            reader, writer = await asyncio.open_connection(*address)
            with contextlib.closing(writer):
                writer.transport.get_extra_info("socket").setsockopt(*_NO_LINGER)
                head = (
                    f"PUT /v1/batches/{upload.id} HTTP/1.1\r\nHost: bench\r\nContent-Length: {len(upload.raw)}\r\nConnection: close\r\n\r\n"
                )
                body = upload.raw[: upload.cut_at] if upload.fault is Fault.RESET else upload.raw
                writer.write(head.encode())
                for start in range(0, len(body), _SEND_BYTES):
                    writer.write(body[start : start + _SEND_BYTES])
                    await writer.drain()
                if upload.fault is Fault.RESET:
                    return Failed(1, Trouble.BROKEN_OFF, False)
                whole = True
                answer = await reader.read()
                if upload.fault is Fault.LOST or not answer:
                    return Failed(1, Trouble.BROKEN_OFF, True)
                return _answered(answer)
    except TimeoutError:
        return Failed(1, Trouble.DEADLINE, whole)
    except OSError:
        return Failed(1, Trouble.BROKEN_OFF if whole else Trouble.NO_CONNECTION, whole)


def _answered(raw: bytes) -> Answered:
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    return Answered(1, int(lines[0].split()[1]), fields.get("retry-after"), fields.get("date"), body)
