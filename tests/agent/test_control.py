"""The control socket: framing, who may speak, and what happens to whoever breaks the rules. Real sockets, a real second uid."""

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from tempfile import gettempdir

import pytest

from agent import control, messages
from agent.channel import Channel
from agent.errors import NotRunning
from consent.frames import MAX_FRAME_BYTES, FrameError, Splitter, frame

NOBODY = 65534


def as_nobody(path: Path) -> str:
    """What another account hears that asks for a withdrawal: forked and given another uid, because it may not read our code."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            os.write(writing, _heard(path).encode())
        finally:
            os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with open(reading, "rb") as pipe:
        return pipe.read().decode()


def _heard(path: Path) -> str:
    try:
        answer = speak(path, frame(messages.encode(messages.Withdraw())))
    except PermissionError:
        return "not even connected"
    return ", ".join(type(messages.decode_answer.decode(body)).__name__ for body in Splitter().feed(answer))


async def _echo(connection: control.Connection) -> None:
    async for request in connection.requests():
        connection.say(messages.Done(type(request).__name__))


def while_listening(path: Path, work: Callable[[], object]) -> object:
    """Run `work` in a thread while a daemon's end listens at `path`."""

    async def run() -> object:
        server = await control.listen(path, _echo)
        try:
            return await asyncio.to_thread(work)
        finally:
            server.close()

    return asyncio.run(run())


def speak(path: Path, raw: bytes) -> bytes:
    """Send raw bytes, return everything that comes back until the other side hangs up or falls silent."""
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(2)
        peer.connect(str(path))
        with contextlib.suppress(BrokenPipeError):  # whoever is turned away may be so before having said a word
            peer.sendall(raw)
        return peer.recv(65536)


def test_a_request_is_answered(tmp_path: Path) -> None:
    """One framed request, one framed answer."""

    def work() -> object:
        with Channel(tmp_path / "s") as channel:
            return channel.ask(messages.Pause(30))

    assert while_listening(tmp_path / "s", work) == messages.Done("Pause")


def test_the_socket_is_private(tmp_path: Path) -> None:
    """0600, whatever the umask is."""
    mode = while_listening(tmp_path / "s", lambda: (tmp_path / "s").stat().st_mode & 0o777)
    assert mode == 0o600


@pytest.mark.parametrize("opened", [False, True])
def test_another_account_is_turned_away(tmp_path: Path, opened: bool) -> None:
    """A real second uid cannot connect; and if somebody opened the socket's mode, it is still refused by its uid."""
    if os.geteuid() != 0:
        pytest.skip("becoming another account needs root")
    for folder in [tmp_path, *tmp_path.parents]:
        if folder != Path(gettempdir()) and folder.is_relative_to(gettempdir()):
            folder.chmod(0o755)

    def work() -> object:
        if opened:
            (tmp_path / "s").chmod(0o666)
        return as_nobody(tmp_path / "s")

    assert while_listening(tmp_path / "s", work) == ("Refused" if opened else "not even connected")


@pytest.mark.parametrize(
    "raw",
    [struct.pack(">I", MAX_FRAME_BYTES + 1), frame(b"\xc1"), frame(b""), frame(b"\x81\xa4type\xa7unknown"), frame(b"\x93" * 1000)],
    ids=["oversize", "no msgpack", "empty", "unknown request", "deep"],
)
def test_whoever_breaks_the_framing_is_told_once_and_cut_off(tmp_path: Path, raw: bytes) -> None:
    """A frame that is too long or does not decode: one refusal, then the end of the connection; others are served on."""

    def work() -> object:
        answer = speak(tmp_path / "s", raw)
        with Channel(tmp_path / "s") as channel:
            return answer, channel.ask(messages.Resume())

    answer, after = while_listening(tmp_path / "s", work)  # type: ignore[misc]
    (body,) = Splitter().feed(answer)
    assert isinstance(messages.decode_answer.decode(body), messages.Refused)
    assert after == messages.Done("Resume")


def test_a_hundred_connections_do_not_make_a_hundred_servants(tmp_path: Path) -> None:
    """Above the bound a connection is refused with a reason."""

    def work() -> object:
        crowd = [Channel(tmp_path / "s") for _ in range(control.MAX_CONNECTIONS + 1)]
        try:
            for channel in crowd[:-1]:
                channel.ask(messages.Resume())
            return crowd[-1].hear()
        finally:
            for channel in crowd:
                channel.__exit__(None, None, None)

    assert isinstance(while_listening(tmp_path / "s", work), messages.Refused)


def test_a_silent_daemon_counts_as_dead(tmp_path: Path) -> None:
    """Something accepts and never answers: after the deadline it is not running."""
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(tmp_path / "s"))
        mute.listen()
        with Channel(tmp_path / "s", within_s=0.05) as channel, pytest.raises(NotRunning):
            channel.ask(messages.Resume())
    with pytest.raises(NotRunning):
        Channel(tmp_path / "nothing")


def test_a_message_over_the_bound_is_not_sent() -> None:
    """Large answers are many frames; a single large one is an error of ours."""
    with pytest.raises(FrameError):
        frame(bytes(MAX_FRAME_BYTES + 1))


def test_frames_come_back_whole_however_they_were_cut() -> None:
    """Any cut of the stream gives the same messages in the same order."""
    stream = frame(b"one") + frame(b"") + frame(b"three" * 1000)
    for size in (1, 2, 3, 7, 4096):
        splitter = Splitter()
        got = [body for at in range(0, len(stream), size) for body in splitter.feed(stream[at : at + size])]
        assert got == [b"one", b"", b"three" * 1000]


def test_a_daemon_that_ends_while_somebody_listens_says_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever is still connected hears the end; nothing is logged as a fault."""
    path = tmp_path / "control"
    with socket.socket(socket.AF_UNIX) as listener:

        async def run() -> None:
            await control.listen(path, _echo)
            await asyncio.to_thread(listener.connect, str(path))
            await asyncio.to_thread(listener.sendall, frame(messages.encode(messages.AskStatus())))
            await asyncio.to_thread(listener.recv, 4096)  # it is served

        asyncio.run(run())
        assert listener.recv(4096) == b""
    assert caplog.records == []
