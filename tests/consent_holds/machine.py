"""The state machine: everything that can happen to an agent, in any order, and what must hold after each of it.

The rules bear the names of the model's commands (docs/consent-model.md). A new way to say no (an exemption, say) is one more rule that
issues a request with its effect, and one more word in `Told`.
"""

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant

from agent.pending import raw_inputs
from consent.gate import may_hook
from consent.vocabulary import Blocker
from tests.consent_holds.exempting import Exempting
from tests.consent_holds.happening import Happening
from tests.consent_holds.life import BEGINNINGS, LONG_LEASE_S, PAIRS
from tests.consent_holds.saying import Saying
from tests.consent_holds.seeing import Seeing
from tests.consent_holds.watches import hold_to


class ConsentHolds(Saying, Exempting, Seeing, Happening):
    """One machine, one person, any number of lives of the agent."""

    @initialize(begin=st.sampled_from(BEGINNINGS), network=st.sampled_from(["answers", "waits"]))
    def begin(self, begin: str, network: str) -> None:
        """Where a run begins: with nothing, with a yes, with something held, or with something sealed, waiting or sent."""
        self.network = network
        self.world.open()
        if begin != "fresh":
            self.policy("usual", LONG_LEASE_S)
            self.indicator_returns()
            self.consent(True, True)
        if begin in ("held", "sealed"):
            for pair in PAIRS[:2]:
                self.works(pair, 2, True)
        if begin == "sealed":
            self.a_day_passes(False)
            self.works(PAIRS[0], 1, True)

    @invariant()
    def hooks_are_of_this_permission(self) -> None:
        """INV-4, INV-16: at most one observer lives, of the present generation, with what may be hooked now, after a yes that stands."""
        if not hasattr(self.world, "daemon"):
            return
        standing, alive = self.world.daemon.standing, [one for one in self.world.observers if one.alive]
        hold_to("INV-4", len(alive) <= 1, "two observers live")
        for observer in alive:
            grant = observer.grant
            hold_to("INV-4", grant and grant.generation == standing.generation, "hooks of another generation live")
            hold_to("INV-4", grant and grant.kinds == may_hook(standing), "hooks live that the present permission does not allow")
            hold_to("INV-7, INV-10, INV-16", self.truth.told.permits(), "hooks live although the person said no")
            hold_to("INV-15", not self.truth.locked, "hooks live although the session is locked")
            hold_to("INV-16", self.world.policy.policy is not None, "hooks live without a policy")

    @invariant()
    def a_lapsed_lease_stays_lapsed(self) -> None:
        """What the daemon has seen to expire opens only with a newly verified policy."""
        if hasattr(self.world, "daemon") and self.world.daemon.policy.blocker is Blocker.POLICY_EXPIRED:
            self.lapsed = True

    @invariant()
    def a_pause_is_as_long_as_was_promised(self) -> None:
        """INV-6: what is left of a pause is never less than was promised, on the awake clock."""
        if not self.truth.told.paused or not hasattr(self.world, "daemon"):
            return
        found = self.world.subject.record.choice.pause
        hold_to("INV-7", found is not None, "a pause that was promised is gone")
        left_s, promised_ms = found.left_s(self.world.time.read(), self.world.time.boot), self.truth.pause_left_ms
        hold_to("INV-6", left_s is None or promised_ms is not None, "a pause until resumed has an end")
        hold_to("INV-6", left_s is None or left_s * 1000 >= (promised_ms or 0), "a pause has become shorter")

    @invariant()
    def counts_reconcile(self) -> None:
        """INV-21: seen = refused + pending + held + forgotten + sealed + sent, and each is what is really there."""
        if not hasattr(self.world, "daemon"):
            return
        subject, pending = self.world.subject, self.world.daemon._pending
        tally, waiting = subject.tally, subject.outbox.stats()
        hold_to("INV-21", tally.seen == tally.total(), "the tally does not add up")
        there = (subject.hold.stats().n, waiting.n, subject.record.sent_n())
        hold_to("INV-21", (tally.held, tally.sealed, tally.sent) == there, f"counted {tally.part()}, there {there}")
        n = raw_inputs(pending.collecting) + sum(raw_inputs(group) for group in pending.asked.values())
        hold_to("INV-21", tally.pending == n, "what is pending is counted wrong")

    def teardown(self) -> None:
        try:
            if hasattr(self.world, "daemon") and not self.world.disk.dead:
                self.look_into(self.world.subject)
        finally:
            self.world.end()
