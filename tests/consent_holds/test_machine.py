"""Consent holds: a state machine over the real code finds no way around it, whatever machine, network, icon and person do."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.consent_holds.machine import ConsentHolds

SHARDS, RUNS, STEPS = 20, 560, 50


def _machine(counts: Counter[str]) -> type[ConsentHolds]:
    """The machine, counting what its runs come to: a proof over runs in which nothing happens would prove nothing."""

    class Counted(ConsentHolds):
        def check_invariants(self, *arguments: object, **more: object) -> None:
            counts["steps"] += 1
            super().check_invariants(*arguments, **more)  # type: ignore[misc]

        def teardown(self) -> None:
            counts["runs"] += 1
            counts["deaths"] += self.world.deaths
            counts["captured"] += len(self.truth.events)
            counts["sealed"] += len(self.watches.envelopes)
            counts["left"] += len(self.watches.left)
            super().teardown()

    return Counted


def test_no_run_of_some_finds_a_way_around_consent() -> None:
    """The short form: the same runs each time."""
    counts: Counter[str] = Counter()
    run_state_machine_as_test(
        _machine(counts), settings=settings(max_examples=80, stateful_step_count=STEPS, deadline=None, derandomize=True)
    )
    assert min(counts["captured"], counts["deaths"], counts["sealed"], counts["left"]) > 5


@pytest.mark.soak
@pytest.mark.parametrize("shard", range(SHARDS))
def test_no_run_of_ten_thousand_finds_a_way_around_consent(shard: int) -> None:
    """The long form, 20 shards, each of more than 500 times 50 steps; each can be run again by its number, as in `-k '[7]'`."""
    counts: Counter[str] = Counter()
    run_state_machine_as_test(
        seed(shard)(_machine(counts)),
        settings=settings(
            max_examples=RUNS,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )
    print(f"shard {shard}: {dict(counts)}")
    assert counts["runs"] >= RUNS  # Hypothesis gives a few up before their end
    assert counts["steps"] >= 500 * STEPS
    assert min(counts["captured"], counts["deaths"], counts["sealed"], counts["left"]) > RUNS / 10
