"""Volens, the receiver's migrations: how each version's tables come from those of the one before. Run by receiver/migrate.py only."""
