"""Volens: holds purpose keys k of n, and opens what they allow. Runs where custodians are, never on the receiver."""
