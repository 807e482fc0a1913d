"""The counts: every raw input is in exactly one place, whatever happens to it."""

import re
from collections import Counter

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from agent.carry import carry_all
from agent.faults import of as fault_of
from agent.pending import Pending, raw_inputs
from agent.report import fault_report
from agent.show import status_lines
from agent.tally import Tally
from collectors.pipe import Observed
from consent.event import Event
from consent.standing import CLOSED
from consent.vocabulary import WHY_WORDS, State, Why
from tests.consent.samples import events, recording

batches = st.builds(
    lambda seen, dropped: Observed(1, sum(e.n for e in seen) + sum(dropped.values()), tuple(seen), dropped),
    st.lists(events(generation=1), max_size=6),
    st.dictionaries(st.sampled_from([Why.NO_KIND, Why.ROLE_UNKNOWN, Why.SURFACE_NOT_ALLOWED]), st.integers(1, 9), max_size=3),
)


class Counting(RuleBasedStateMachine):
    """INV-21 over the code that moves events from the pipe to the hold."""

    def __init__(self) -> None:
        super().__init__()
        self.tally, self.pending, self.nonce = Tally(), Pending(), 0

    @rule(observed=batches, open_gate=st.booleans())
    def observe(self, observed: Observed, open_gate: bool) -> None:
        carry_all(observed, recording() if open_gate else CLOSED, self.pending, self.tally)

    @rule()
    def challenge(self) -> None:
        self.nonce += 1
        self.pending.ask(self.nonce.to_bytes(16, "big"))

    @rule(ago=st.integers(0, 3))
    def answer(self, ago: int) -> None:
        self.tally.keep(raw_inputs(self.pending.answered(max(0, self.nonce - ago).to_bytes(16, "big"))))

    @rule()
    def change_of_permission(self) -> None:
        self.tally.drop_pending(Why.OLD_GENERATION, self.pending.drop())

    @rule()
    def forget_everything(self) -> None:
        self.tally.forget_pending(self.pending.drop())
        self.tally.forget_held(self.tally.held)

    @rule()
    def seal_and_send(self) -> None:
        self.tally.seal(self.tally.held)
        self.tally.send(self.tally.sealed)

    @rule()
    def save_and_start_again(self) -> None:
        """A crash loses what is pending, from both sides of the equation; the rest is counted from disk."""
        self.pending.drop()
        again = Tally.of(self.tally.part())
        again.settle(held=self.tally.held, sealed=self.tally.sealed, sent=self.tally.sent)
        self.tally = again

    @invariant()
    def seen_is_the_sum_of_everything(self) -> None:
        assert self.tally.seen == self.tally.total()
        assert min(self.tally.pending, self.tally.held, self.tally.sealed, self.tally.sent, self.tally.forgotten) >= 0


TestCounting = Counting.TestCase


_N = st.integers(0, 10**6)


@given(st.dictionaries(st.sampled_from(Why), st.integers(1, 10**6)), st.tuples(_N, _N, _N, _N, _N))
def test_the_status_shows_where_every_raw_input_is(refused: dict[Why, int], kept: tuple[int, int, int, int, int]) -> None:
    """For people: the first line says how many were seen, and the lines below add up to it, each reason in its own words."""
    pending, held, forgotten, sealed, sent = kept
    tally = Tally(sum(refused.values()) + sum(kept), Counter(refused), pending, held, forgotten, sealed, sent)
    report = msgspec.structs.replace(fault_report(fault_of(OSError())), running=True, standing=State.CONSENTED, tally=tally.part())
    lines = [line.plain for line in status_lines(report, 10**4)]
    first = next(index for index, line in enumerate(lines) if line.startswith("raw inputs"))
    seen, *parts = (int(number) for number in re.findall(r"^(?:raw inputs)? +(\d+) ", "\n".join(lines[first:]), re.MULTILINE))
    assert seen == tally.seen == sum(parts) == tally.total()
    assert all(any(line.endswith(WHY_WORDS[why]) for line in lines) for why in refused)


def test_a_batch_that_does_not_reconcile_is_refused_whole() -> None:
    """The observer's own count and its events disagree: nothing of it is believed."""
    tally, pending = Tally(), Pending()
    carry_all(Observed(1, 7, (), {Why.NO_KIND: 3}), recording(), pending, tally)
    assert (tally.seen, tally.refused, pending.collecting) == (7, {Why.MALFORMED: 7}, [])


@given(st.lists(events(generation=1), max_size=5), st.lists(events(generation=1), max_size=5))
def test_only_what_was_pending_before_a_challenge_is_answered_by_it(before: list[Event], after: list[Event]) -> None:
    """INV-3: events that came after the challenge was issued are not covered by its answer."""
    tally, pending = Tally(), Pending()
    carry_all(Observed(1, sum(e.n for e in before), tuple(before), {}), recording(), pending, tally)
    early = list(pending.collecting)
    pending.ask(b"first")
    carry_all(Observed(1, sum(e.n for e in after), tuple(after), {}), recording(), pending, tally)
    assert pending.answered(b"another") == []
    assert pending.answered(b"first") == early
    assert pending.answered(b"first") == []
