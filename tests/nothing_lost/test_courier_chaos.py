"""A line that goes wrong in every way: what waits is stored once, and nothing of it is lost, whatever happens to connections."""

import asyncio
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.nothing_lost.carrying import Carrier, assert_each_is_stored_once
from tests.receiver import stand
from tests.transport.proxy import CHUNK_BYTES, Mode, Proxy, proxying
from transport.results import Accepted, Unreachable

SIZES = [3000, 30_000, 120_000]


@contextmanager
def _line(folder: Path) -> Iterator[tuple[Carrier, Proxy, asyncio.AbstractEventLoop]]:
    """A receiver, a proxy before it, and a carrier that knows the proxy only; at the end all is well and everything is there once."""
    directory = stand.make(folder)
    with stand.serving(directory) as service, proxying(int(service.url.rsplit(":", 1)[1])) as (proxy, loop):
        carrier = Carrier(folder / "outbox", f"http://127.0.0.1:{proxy.port}")
        try:
            yield carrier, proxy, loop
            proxy.mode = Mode.PASS
            carrier.send_all()
        finally:
            carrier.rest()
    assert_each_is_stored_once(directory, carrier.made)


def _resets(folder: Path, seed: int, times: int) -> None:
    """Each time the connection is reset after another number of chunks of the request; nothing is acknowledged."""
    rng = random.Random(seed)
    with _line(folder) as (carrier, proxy, _):
        proxy.mode = Mode.RESET_UP
        for number in range(times):
            size = rng.choice(SIZES)
            proxy.after = number % (2 + (size + 4096) // CHUNK_BYTES)
            assert isinstance(carrier.send(carrier.put(size)), Unreachable)


def _lost_acknowledgements(folder: Path, seed: int, times: int) -> None:
    """The receiver has it and says so; nobody hears. It waits on, is sent again, and is known."""
    rng = random.Random(seed)
    with _line(folder) as (carrier, proxy, _):
        proxy.mode = Mode.RESET_DOWN
        for _number in range(times):
            assert carrier.send(carrier.put(rng.choice(SIZES))) == Unreachable(True)
        assert len(carrier.outbox.waiting()) == times


def _silences(folder: Path, mode: Mode, seed: int, times: int) -> None:
    """No answer, or one that never ends: the deadline as a whole ends it, and the envelope waits on."""
    rng = random.Random(seed)
    with _line(folder) as (carrier, proxy, _):
        proxy.mode, carrier.deadline_s = mode, 1
        for _number in range(times):
            assert isinstance(carrier.send(carrier.put(rng.choice(SIZES))), Unreachable)
        unknown = carrier.results.count(Unreachable(True))  # on a busy machine a deadline may end before the last byte has left
        assert unknown > times // 2
        carrier.deadline_s = 20


def _duplicates(folder: Path, seed: int, times: int) -> None:
    """Each request arrives twice at once, on two connections."""
    rng = random.Random(seed)
    with _line(folder) as (carrier, proxy, _):
        proxy.mode = Mode.DUPLICATE
        for _number in range(times):
            carrier.send(carrier.put(rng.choice(SIZES)))
        assert any(isinstance(result, Accepted) for result in carrier.results)


def _reorders(folder: Path, seed: int, times: int) -> None:
    """A request is held back, sent again by the courier, and arrives after later ones."""
    rng = random.Random(seed)
    with _line(folder) as (carrier, proxy, loop):
        for _number in range(times):
            proxy.mode = Mode.HOLD_BACK
            for _late in range(2):
                assert carrier.send(carrier.put(rng.choice(SIZES))) == Unreachable(True)
            proxy.mode = Mode.PASS
            carrier.send(carrier.put(rng.choice(SIZES)))
            carrier.send(carrier.outbox.waiting()[0].id)
            asyncio.run_coroutine_threadsafe(proxy.let_go(), loop).result(20)


ROADS = {
    "reset at each 4 KiB": _resets,
    "lost acknowledgement": _lost_acknowledgements,
    "black hole": lambda folder, seed, times: _silences(folder, Mode.BLACK_HOLE, seed, times),
    "trickle": lambda folder, seed, times: _silences(folder, Mode.TRICKLE, seed, times),
    "duplicate": _duplicates,
    "reorder": _reorders,
}


@pytest.mark.parametrize("road", ROADS)
def test_a_bad_line_loses_and_doubles_nothing(tmp_path: Path, road: str) -> None:
    """The short form: three times each."""
    ROADS[road](tmp_path, seed=8, times=3)


@pytest.mark.soak
@pytest.mark.parametrize("road", ROADS)
def test_200_bad_lines_of_each_sort_lose_and_double_nothing(tmp_path: Path, road: str) -> None:
    """The long form: 200 times each."""
    ROADS[road](tmp_path, seed=5000, times=200)
