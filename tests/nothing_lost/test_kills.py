"""kill -9 at random instants: what was kept is there once, what was forgotten stays gone, and no start finds damage."""

import os
import random
import signal
import threading
import time
from pathlib import Path

import pytest

from tests.nothing_lost.carrying import Carrier, assert_each_is_stored_once, random_size
from tests.nothing_lost.life import Promised, Stores, live
from tests.receiver import stand
from transport.results import Accepted

LIVES_A_FOLDER = 25  # so that what is checked after each stays small


def kills(folder: Path, seed: int, times: int) -> None:
    """So many lives, one after the other over one folder, each ended at a random instant."""
    rng, promised, first = random.Random(seed), Promised(), 1
    for _ in range(times):
        for line in _one_life(folder, rng, first):
            promised.hear(line)
        stores = Stores(folder)
        promised.hold_to(stores)
        stores.close()
        first = 10 + max([*promised.kept, *promised.gone, *promised.noted], default=0)


def _one_life(folder: Path, rng: random.Random, first: int) -> list[str]:
    """What a writer said until it was killed: after some acts and then some microseconds, or while it was still opening."""
    reads, writes = os.pipe()
    seed, acts, more_s = rng.randrange(2**32), rng.randrange(30), rng.random() * 0.004
    pid = os.fork()
    if pid == 0:
        os.close(reads)
        _live_until_killed(folder, seed, first, writes)
    os.close(writes)
    with open(reads, "rb", buffering=0) as said:
        heard = b""
        while heard.count(b"\n") < acts and (more := said.read(4096)):
            heard += more
        time.sleep(more_s)  # the random instant itself
        os.kill(pid, signal.SIGKILL)
        heard += said.readall()
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status), heard.decode()
    return heard.decode().splitlines()


def _live_until_killed(folder: Path, seed: int, first: int, writes: int) -> None:
    """The child: never returns."""
    try:
        stores, rng = Stores(folder), random.Random(seed)
        while True:
            first = live(stores, rng, first, lambda line: os.write(writes, f"{line}\n".encode()) and None)
    except BaseException as error:
        os.write(writes, f"failed {error!r}\n".encode())
    finally:
        os._exit(1)


def test_what_was_kept_survives_25_kills(tmp_path: Path) -> None:
    """The short form: one folder, 25 writers, each killed in the middle of keeping, sealing, forgetting or opening."""
    kills(tmp_path / "state", seed=3, times=LIVES_A_FOLDER)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(40))
def test_what_was_kept_survives_1000_kills(tmp_path: Path, seed: int) -> None:
    """The long form: 40 folders of 25 writers."""
    kills(tmp_path / "state", seed=1000 + seed, times=LIVES_A_FOLDER)


def _couriers(folder: Path, seed: int, times: int) -> None:
    """So many couriers, each killed at a random instant of its upload; then everything is sent."""
    rng, directory = random.Random(seed), stand.make(folder)
    with stand.serving(directory) as service:
        carrier = Carrier(folder / "outbox", service.url)
        for _ in range(times):
            carrier.ready()
            carrier.send(carrier.put(random_size(rng)), kill_after_s=rng.choice([0.0, 0.2, 0.3]) + rng.random() * 0.1)
        killed = sum(not isinstance(result, Accepted) for result in carrier.results)
        carrier.send_all()
        carrier.rest()
    assert killed >= times // 3  # the instants are well chosen: many uploads were really cut
    assert_each_is_stored_once(directory, carrier.made)


def _receivers(folder: Path, seed: int, times: int) -> None:
    """So many receivers, each killed at a random instant of an upload; the next one takes over the folder."""
    rng, directory = random.Random(seed), stand.make(folder)
    carrier = Carrier(folder / "outbox", "")
    for _ in range(times):
        with stand.serving(directory) as service:
            carrier.url = service.url
            carrier.send_all()
            envelope_id = carrier.put(random_size(rng))
            timer = threading.Timer(rng.random() * 0.02, service.process.kill)
            timer.start()
            carrier.send(envelope_id)
            timer.join()
    with stand.serving(directory) as service:
        carrier.url = service.url
        carrier.send_all()
    carrier.rest()
    assert_each_is_stored_once(directory, carrier.made)


def test_couriers_killed_in_mid_upload_lose_and_double_nothing(tmp_path: Path) -> None:
    """The short form of an unknown outcome: the same envelope is sent again, and stored once."""
    _couriers(tmp_path, seed=5, times=8)


def test_receivers_killed_in_mid_upload_lose_and_double_nothing(tmp_path: Path) -> None:
    """The short form: what was acknowledged is there, what was not is sent again, and each is there once."""
    _receivers(tmp_path, seed=6, times=3)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10))
def test_400_couriers_killed_in_mid_upload_lose_and_double_nothing(tmp_path: Path, seed: int) -> None:
    """The long form: ten receivers, 40 couriers each."""
    _couriers(tmp_path, 2000 + seed, times=40)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10))
def test_300_receivers_killed_in_mid_upload_lose_and_double_nothing(tmp_path: Path, seed: int) -> None:
    """The long form: ten folders, 30 receivers each."""
    _receivers(tmp_path, 3000 + seed, times=30)
