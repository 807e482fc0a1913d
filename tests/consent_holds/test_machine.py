"""Consent holds: a state machine over the real code finds no way around it, whatever the machine, the network, the icon and the person do."""

from hypothesis import settings

from tests.consent_holds.machine import ConsentHolds

TestConsentHolds = ConsentHolds.TestCase
TestConsentHolds.settings = settings(max_examples=60, stateful_step_count=50, deadline=None, derandomize=True)
