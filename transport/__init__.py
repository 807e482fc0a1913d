"""Volens: how admitted events leave. Knows the types of consent only."""
