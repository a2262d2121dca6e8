from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from sentinel.people.rules import AbsenceFacts, business_calendar, parse_week, stand_in

NOW = datetime(2026, 3, 6, 9, 0, tzinfo=UTC)


def away(user_id: int, deputy_id: int | None) -> AbsenceFacts:
    return AbsenceFacts(user_id=user_id, starts_at=NOW, ends_at=NOW + timedelta(days=1), deputy_id=deputy_id)


def test_an_absence_counts_from_its_first_instant_up_to_its_last() -> None:
    absences = [away(1, 2)]
    assert stand_in(1, absences=absences, now=NOW - timedelta.resolution) == 1
    assert stand_in(1, absences=absences, now=NOW) == 2
    assert stand_in(1, absences=absences, now=NOW + timedelta(days=1)) == 1


@pytest.mark.parametrize(
    ("absences", "who"),
    [
        ([away(1, 2), away(2, 3)], 3),
        ([away(1, 2), away(2, 1)], 1),  # everybody is away: the accountable one stays so
        ([away(1, None)], 9),
        ([away(1, 2), away(2, None)], 9),
        ([away(1, None), away(9, 4)], 4),
    ],
)
def test_deputies_are_followed_to_somebody_who_is_there(absences: list[AbsenceFacts], who: int) -> None:
    assert stand_in(1, absences=absences, now=NOW, default_deputy_id=9) == who


def test_a_chain_that_is_too_long_comes_back() -> None:
    absences = [away(n, n + 1) for n in range(1, 10)]
    assert stand_in(1, absences=absences, now=NOW) == 1


@pytest.mark.parametrize(
    "week", [{"day": []}, {"mon": [["9", "5"]]}, {"mon": [["09:00"]]}, {"mon": [[9, 17]]}]
)
def test_hours_that_cannot_be_read_are_refused(week: dict[str, list[list[str]]]) -> None:
    with pytest.raises(ValueError, match="is not a"):
        parse_week(week)


def test_a_week_as_stored_becomes_a_calendar() -> None:
    week = {"mon": [["09:00", "12:00"], ["13:00", "24:00"]], "fri": [["22:00", "06:00"]]}
    hours = business_calendar(zone="Europe/Kyiv", week=week, holidays=[date(2026, 3, 9)])
    assert hours.is_open(datetime(2026, 3, 7, 3, 0, tzinfo=UTC))  # Saturday 05:00: Friday's night shift
    assert not hours.is_business_day(date(2026, 3, 9))
    assert hours.end_of_day(date(2026, 3, 16)) == datetime(2026, 3, 16, 22, 0, tzinfo=UTC)
