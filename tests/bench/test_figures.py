"""The numbers of the table, from samples that are known."""

from dataclasses import replace

import pytest

from bench.day import held_in_a_day, sent_in_a_day
from bench.delay import delay
from bench.figures import Figures, Part, Sample, at, between, idle_wakeups, parts, peak_pss
from bench.schedule import Stretch
from bench.table import as_json, rows, shortfalls
from consent.event import Button, Clocks, Event, PointerButton
from consent.vocabulary import SurfaceId

SAMPLES = [Sample(0.0, 0.0, 0, 10), Sample(1.0, 0.5, 100, 30), Sample(2.0, 0.5, 100, 20), Sample(6.0, 0.9, 108, 40)]


def test_a_running_number_between_two_samples_is_a_proportion() -> None:
    """Half a second after a sample, half of what came until the next has come."""
    assert at(SAMPLES, 0.5, "cpu_s") == pytest.approx(0.25)
    assert between(SAMPLES, 1.0, 6.0, "cpu_s") == pytest.approx(0.4)
    assert at(SAMPLES, 99.0, "cpu_s") == pytest.approx(0.9)


def test_the_peak_is_taken_within_the_work_only() -> None:
    """What a start or an end needs does not count as the work's memory."""
    assert peak_pss(SAMPLES, 0.0, 2.0) == 30


def test_wakeups_are_those_of_idle_stretches_after_they_have_settled() -> None:
    """From one second after its start to its end, per second; short stretches tell nothing."""
    stretches = [Stretch("typing", 0.0, 1.0), Stretch("idle 1", 1.0, 6.0)]
    assert idle_wakeups(SAMPLES, stretches, 0.0) == pytest.approx(2.0)
    assert idle_wakeups(SAMPLES, [Stretch("idle 2", 0.0, 2.0)], 0.0) is None


def figures(name: str, seen: int | None) -> Figures:
    """One run."""
    return Figures(name, 0.5, 1.0, 0.1, 1024 * 1024, 2.0, 0, 0, seen, 100, {"clicks": (5, 5)} if seen else {}, {}, 0.001)


def test_a_shortfall_shows_as_a_share() -> None:
    """Recall is seen over injected, and a run that sees nothing by design shows none."""
    cells = dict(rows([figures("a", 99), figures("b", None)]))
    assert cells["raw inputs seen"] == ["99/100", "-"]
    assert cells["clicks (Volens: kept)"] == ["5/5", "-"]
    assert '"seen": 99' in as_json([figures("a", 99)], 12.0, 1)


def test_what_was_not_kept_is_listed_by_reason_and_the_rest_is_said_to_have_none() -> None:
    """Of 100 inputs 90 are kept and 8 are refused: two are without a reason, and a run that filters nothing has no list."""
    one = figures("a", 100)
    listed = shortfalls(replace(one, kept_raw=90, refused={"no_kind": 7, "secure_field": 1}))
    assert [line.split()[0] for line in listed[1:]] == ["7", "1", "2"]
    assert listed[2].endswith("in a password field")
    assert shortfalls(one) == []


def test_each_process_has_its_share() -> None:
    """CPU since the work began, memory when the whole tree had the most; one that came later began at nothing."""
    samples = [
        Sample(0.0, 0.0, 0, 10, {"icon": Part(0.2, 10)}),
        Sample(1.0, 0.0, 0, 30, {"icon": Part(0.3, 12), "observer": Part(0.1, 18)}),
        Sample(2.0, 0.0, 0, 20, {"icon": Part(0.5, 20)}),
    ]
    assert parts(samples, 0.0, 2.0) == {"icon": Part(pytest.approx(0.3), 12), "observer": Part(0.1, 18)}


def test_a_day_is_eight_hours_of_the_same_work() -> None:
    """Ten clicks a minute: 480 envelopes if one is sealed each minute, 32 if each quarter of an hour; each is a page at least."""
    events = [
        Event(SurfaceId("editor"), 1, Clocks(6000 * n, 6000 * n, 6000 * n), 1, 1, PointerButton(1, 1, Button.LEFT, True)) for n in range(10)
    ]
    each_minute, each_quarter = (sent_in_a_day(events, 60.0, every_s) for every_s in (60.0, 900.0))
    assert each_minute == pytest.approx(15 * each_quarter, rel=0.01)
    assert each_quarter > 32 * 4096
    assert held_in_a_day(100, 60.0) == 48_000


def test_delays_are_of_what_came_and_count_what_did_not() -> None:
    """The middle one and the one below which 99 of 100 lie; a key that never came is missing from the count."""
    one = delay("nobody", [[n / 1000 for n in range(100)]], [[0.0]], 101)
    assert one.p50_ms == pytest.approx(50)
    assert one.p99_ms == pytest.approx(99)
    assert one.injected - one.delivered == 1
    assert delay("nobody", [], [], 1).p99_ms == 0


def test_what_is_added_is_judged_round_by_round() -> None:
    """Two rounds in which it adds 1 ms, and one in which something else kept the machine from it: it adds 1 ms."""
    nobody, other = [[0.001], [0.050], [0.001]], [[0.002], [0.051], [0.900]]
    assert delay("other", other, nobody, 3).p99_added_ms == pytest.approx(1.0)
