"""The one place where custody reads the time: for records, never for a decision."""

from datetime import UTC, datetime


def now() -> datetime:
    """Wall time, aware, UTC."""
    return datetime.now(UTC)
