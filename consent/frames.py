"""How our processes speak: a length (4 bytes, big-endian) and that many bytes of msgpack. Nothing larger than a frame.

Used on the pipes to the children and on the control socket. Large answers are many frames, never a large one.
"""

MAX_FRAME_BYTES = 64 * 1024
"""A status is 2 KB and an event 60 bytes; 64 KiB is what a Unix pipe takes at once, and bounds a hostile peer."""

MAX_NOTICE_BYTES = 40_000
"""What of a frame a notice may take; the rest is for what goes with it (`agent.messages.Offer`). The example's 200 surfaces make 32,000."""

_LENGTH_BYTES = 4


class FrameError(Exception):
    """The other side broke the framing: a frame longer than MAX_FRAME_BYTES was announced or asked for."""


def frame(body: bytes) -> bytes:
    """The bytes to send for one message. Raises FrameError if it is too long."""
    if len(body) > MAX_FRAME_BYTES:
        raise FrameError(f"a message of {len(body)} bytes does not fit a frame")
    return len(body).to_bytes(_LENGTH_BYTES, "big") + body


class Splitter:
    """Cuts a stream of bytes back into messages; keeps at most one unfinished frame."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that `data` completes. Raises FrameError on an announced length over the bound."""
        self._rest += data
        messages: list[bytes] = []
        while len(self._rest) >= _LENGTH_BYTES:
            length = int.from_bytes(self._rest[:_LENGTH_BYTES], "big")
            if length > MAX_FRAME_BYTES:
                raise FrameError(f"the other side announced a message of {length} bytes")
            if len(self._rest) < _LENGTH_BYTES + length:
                break
            messages.append(bytes(self._rest[_LENGTH_BYTES : _LENGTH_BYTES + length]))
            del self._rest[: _LENGTH_BYTES + length]
        return messages
