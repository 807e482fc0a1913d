"""Volens: takes envelopes in and keeps them. Cannot read any."""
