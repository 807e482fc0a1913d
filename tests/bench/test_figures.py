"""The numbers of the table, from samples that are known."""

import pytest

from bench.figures import Figures, Sample, at, between, idle_wakeups, peak_pss
from bench.schedule import Stretch
from bench.table import as_json, rows

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
    assert cells["raw inputs seen"] == ["99/100 99.0 %", "-"]
    assert cells["clicks (Volens: kept)"] == ["5/5 100.0 %", "-"]
    assert '"seen": 99' in as_json([figures("a", 99)], 12.0, 1)
