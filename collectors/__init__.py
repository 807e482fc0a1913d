"""Volens: what can be observed, per operating system. Knows the words of consent only."""
