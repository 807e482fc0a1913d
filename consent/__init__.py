"""Volens: who said yes to what. Decides, and imports nothing of ours."""
