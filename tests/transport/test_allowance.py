"""The bytes of a day and of a month: hard stops, whatever a clock shows and whenever the daemon is started again."""

from datetime import date, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from transport.allowance import DAY_BYTES, MONTH_BYTES, Limits, Spent, spend, used

FIRST = date(2026, 11, 20)
LIMITS = Limits()
uploads = st.lists(st.tuples(st.integers(0, 70), st.integers(1, 9_000_000)), max_size=200)


def day(number: int) -> str:
    return (FIRST + timedelta(days=number)).isoformat()


@given(uploads)
def test_no_row_of_uploads_and_clock_changes_exceeds_a_day_or_a_month(row: list[tuple[int, int]]) -> None:
    """A hard stop: whatever is tried on whichever day, in any order of days, no day's and no month's sum is above its bound."""
    spent, latest, days, months = Spent(), day(0), dict[str, int](), dict[str, int]()
    for number, wanted in row:
        latest = max(latest, day(number))
        if wanted <= used(spent, day(number), LIMITS).room_bytes:
            spent = spend(spent, day(number), wanted)
            days[latest] = days.get(latest, 0) + wanted
            months[latest[:7]] = months.get(latest[:7], 0) + wanted
        spent = msgspec.json.decode(msgspec.json.encode(spent), type=Spent)  # a restart at any point changes nothing
    assert all(total <= DAY_BYTES for total in days.values())
    assert all(total <= MONTH_BYTES for total in months.values())


@given(uploads, st.integers(0, 70), st.integers(0, 70))
def test_a_clock_that_is_set_back_gives_nothing(row: list[tuple[int, int]], one: int, other: int) -> None:
    """An earlier day never has more room than a later one that was sent on, and never more than that one had."""
    spent = Spent()
    for number, wanted in row:
        spent = spend(spent, day(number), wanted)
    rooms = [used(spent, day(number), LIMITS).room_bytes for number in sorted((one, other))]
    assert rooms[0] <= rooms[1]
    assert used(spend(spent, day(max(one, other)), 5), day(min(one, other)), LIMITS).room_bytes <= max(0, rooms[1])


def test_twenty_full_days_are_a_month() -> None:
    """After them nothing leaves till the next month, which begins with a whole day's room."""
    spent = Spent()
    for number in range(20):
        spent = spend(spent, f"2026-12-{number + 1:02}", DAY_BYTES)
    assert [used(spent, name, LIMITS).room_bytes for name in ("2026-12-20", "2026-12-31", "2027-01-01")] == [0, 0, DAY_BYTES]
    assert [used(spent, name, LIMITS).month_bytes for name in ("2026-11-30", "2020-01-01")] == [MONTH_BYTES] * 2, "set back"


def test_the_file_of_an_older_version_counts_for_its_month() -> None:
    """It knew days only: what its day says is the least that its month has."""
    old = msgspec.json.decode(b'{"day":"2026-11-20","sent_bytes":7000000}', type=Spent)
    assert used(old, "2026-11-21", LIMITS).month_bytes == 7_000_000
    assert used(spend(old, "2026-11-21", 1), "2026-11-21", LIMITS).month_bytes == 7_000_001
    assert used(old, "2026-12-01", LIMITS).month_bytes == 0


def test_lower_limits_leave_less_room_and_none_more() -> None:
    """A machine's own limit of the month ends the day, too."""
    spent = spend(Spent(), "2026-11-20", 900)
    assert used(spent, "2026-11-20", Limits(1000, 950)).room_bytes == 50
    assert used(spent, "2026-11-20", Limits(1000, 800)).room_bytes == 0
