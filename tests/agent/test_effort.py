"""What our processes take: a mean of minutes, no alarm for a moment's work, rests that grow, and the kernel's own numbers."""

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import costs, effort
from agent.effort import REST_S, WINDOW_S, Costs, Effort, Rest, rest, too_large

MINUTE_MS = 60_000


def looks(*cpu_ms: int) -> Effort:
    """One a minute."""
    found = Effort()
    for number, each in enumerate(cpu_ms):
        found = found.look(number * MINUTE_MS, each)
    return found


def test_the_mean_is_of_five_minutes() -> None:
    """Nothing after one look. Twelve seconds in one minute are four per cent for five minutes, and then none."""
    assert looks(5000).percent is None
    assert looks(0, 12_000).percent == pytest.approx(4.0)
    assert looks(0, *[12_000] * 5).percent == pytest.approx(4.0)
    assert looks(0, *[12_000] * 6).percent == 0.0
    assert looks(*(minute * 60_000 for minute in range(20))).percent == pytest.approx(100.0)


def test_a_thread_that_spins_is_far_above_the_ceiling_after_a_minute() -> None:
    """And one second of work a minute is not above it."""
    assert (looks(0, 60_000).percent or 0) > 10
    assert (looks(*range(0, 20_000, 1000)).percent or 0) < 2


@given(st.lists(st.tuples(st.integers(1, 10**7), st.integers(0, 10**6)), max_size=60))
def test_looks_are_bounded_and_never_negative(steps: list[tuple[int, int]]) -> None:
    """However far apart, and if the kernel's numbers went down: within the window, and one before it."""
    found, now_ms = Effort(), 0
    for passed_ms, cpu_ms in steps:
        now_ms += passed_ms
        found = found.look(now_ms, cpu_ms)
        assert sum(at_ms <= now_ms - WINDOW_S * 1000 for at_ms, _ in found.looks) <= 1
        assert found.percent is None or found.percent >= 0


def test_rests_grow_to_an_hour_and_begin_anew_after_a_good_hour() -> None:
    """Five, ten, twenty, forty, sixty, sixty minutes; an hour without one, and it is five again."""
    found: Rest | None = None
    now_ms, lengths = 0, []
    for _ in range(7):
        found = rest(found, now_ms)
        lengths.append((found.until_ms - now_ms) // 1000)
        now_ms = found.until_ms + MINUTE_MS
    assert lengths == [*REST_S, REST_S[-1], REST_S[-1]]
    assert found is not None
    later_ms = found.until_ms + effort.AGAIN_S * 1000
    assert rest(found, later_ms) == Rest(later_ms + REST_S[0] * 1000, 0)


def test_only_children_above_the_bound_are_too_large() -> None:
    """By their resident bytes."""
    assert too_large(Costs(0, {3: effort.CHILD_BYTES, 1: effort.CHILD_BYTES + 1, 2: 10**9})) == (1, 2)


SPIN = "import time,sys\nwhile time.process_time() < 0.5: pass\nprint(flush=True); sys.stdin.read()"
GROW = "import sys; much = b'x' * 60_000_000; print(flush=True); sys.stdin.read()"


def _child(code: str) -> "subprocess.Popen[bytes]":
    child = subprocess.Popen([sys.executable, "-I", "-S", "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    return child


def test_the_kernels_numbers_count_living_and_dead_children() -> None:
    """Half a second that a child has spent is in the sum while it lives, while nobody has waited for it, and afterwards."""
    first = costs.read()
    assert first is not None
    with _child(SPIN) as child:
        living = costs.read()
        assert living is not None
        assert child.pid in living.children
        assert living.cpu_ms - first.cpu_ms >= 450
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        dead = costs.read()
    waited = costs.read()
    assert dead is not None
    assert waited is not None
    assert waited.cpu_ms >= dead.cpu_ms >= living.cpu_ms - 20
    assert child.pid not in waited.children


def test_resident_bytes_of_a_child_are_the_kernels() -> None:
    """One that holds 60 MB holds 60 MB."""
    with _child(GROW) as child:
        found = costs.read()
        child.kill()
    assert found is not None
    assert 60_000_000 <= found.children[child.pid] < 100_000_000


def test_where_nothing_tells_nothing_is_known(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    """No /proc: None, and no error."""
    monkeypatch.setattr(costs, "_PROC", tmp_path)
    assert costs.read() is None
