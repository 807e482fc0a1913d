"""Tests against real servers and a real desktop."""
