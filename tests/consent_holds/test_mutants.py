"""Each rule of consent is missed when it is gone: without it, the state machine finds a violation."""

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from consent.ledger import LedgerError
from tests.consent_holds.machine import ConsentHolds
from tests.consent_holds.mutants import MUTANTS, Mutant, removed
from tests.consent_holds.watches import Violation


def _found(mutant: Mutant, begin: int) -> str:
    """What the machine says of the product without this rule; empty if it misses nothing."""

    @seed(begin)
    class Machine(ConsentHolds):
        pass

    try:
        with removed(mutant):
            run_state_machine_as_test(
                Machine,
                settings=settings(
                    max_examples=mutant.runs,
                    stateful_step_count=50,
                    deadline=None,
                    database=None,
                    phases=[Phase.generate],
                    suppress_health_check=list(HealthCheck),
                ),
            )
    except Violation as violation:
        return str(violation)
    except LedgerError as broken:  # its tail knows of lines that a power cut took
        return f"INV-12: {broken}"
    return ""


@pytest.mark.parametrize("mutant", [one for one in MUTANTS if not one.soak], ids=lambda one: one.flag)
def test_a_rule_that_is_gone_is_missed(mutant: Mutant) -> None:
    """The short form: what is found within a second or two."""
    assert _found(mutant, mutant.begin).startswith(mutant.says)


@pytest.mark.soak
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda one: one.flag)
@pytest.mark.parametrize("begin", range(2, 5))
def test_a_rule_that_is_gone_is_missed_by_any_seed(mutant: Mutant, begin: int) -> None:
    """The long form: all of them, from three beginnings."""
    assert _found(mutant, begin).startswith("INV-")
