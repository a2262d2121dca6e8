"""What reading a calendar again changes, and what it never touches."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sentinel.people.absence_files import FoundAbsence
from sentinel.people.absence_plans import Known, Plan, Span, is_wanted, plan_reading, words_of

NOW = datetime(2026, 3, 6, 9, 0, tzinfo=UTC)


def days(first: int, last: int) -> Span:
    """From one day after NOW until another."""
    return NOW + timedelta(days=first), NOW + timedelta(days=last)


def plan(
    *wanted: Span,
    known: dict[int, Span] | None = None,
    by_hand: tuple[Span, ...] = (),
    dismissed: tuple[Span, ...] = (),
) -> Plan:
    return plan_reading(
        wanted=wanted,
        known=[Known(absence_id=pk, span=span) for pk, span in (known or {}).items()],
        by_hand=by_hand,
        dismissed=dismissed,
        now=NOW,
    )


def test_what_is_new_is_added_and_what_is_there_stays() -> None:
    assert plan(days(1, 2), days(5, 6), known={7: days(1, 2)}) == Plan(add=(days(5, 6),))


def test_reading_the_same_again_changes_nothing() -> None:
    assert plan(days(1, 2), days(5, 6), known={7: days(1, 2), 8: days(5, 6)}) == Plan()


def test_what_moved_is_moved_and_what_is_gone_is_dropped() -> None:
    found = plan(days(2, 4), days(20, 21), known={7: days(1, 3), 8: days(9, 10)})
    assert found == Plan(add=(days(20, 21),), move=((7, days(2, 4)),), drop=(8,))


def test_one_that_became_two_is_moved_once() -> None:
    assert plan(days(1, 2), days(3, 4), known={7: days(1, 4)}) == Plan(
        add=(days(3, 4),), move=((7, days(1, 2)),)
    )


def test_what_was_entered_by_hand_stands_and_the_calendars_is_kept_back() -> None:
    found = plan(days(1, 3), known={7: days(1, 3)}, by_hand=(days(2, 5),))
    assert found == Plan(kept_back=(days(1, 3),), drop=(7,))


def test_what_somebody_took_off_stays_off_until_it_reaches_further() -> None:
    assert plan(days(1, 3), dismissed=(days(1, 3),)) == Plan()
    assert plan(days(2, 3), dismissed=(days(1, 3),)) == Plan()
    assert plan(days(1, 4), dismissed=(days(1, 3),)) == Plan(add=(days(1, 4),))


def test_when_it_began_is_of_no_interest_once_it_has_begun() -> None:
    assert plan(days(0, 3), known={7: days(-2, 3)}) == Plan()
    assert plan(days(0, 4), known={7: days(-2, 3)}) == Plan(move=((7, days(0, 4)),))


@pytest.mark.parametrize(
    ("title", "hours", "words", "is_one"),
    [
        ("Whatever", 24, "", True),
        ("Dentist", 1, "", False),
        ("Urlaub Sylt", 24, "urlaub, OOO", True),
        ("URLAUB", 1, "urlaub, OOO", True),
        ("Team day", 24, "urlaub, OOO", False),
        ("ooo: training", 4, "urlaub; OOO", True),
    ],
)
def test_words_choose_by_the_title_and_none_by_the_length(
    title: str, hours: int, words: str, is_one: bool
) -> None:
    found = FoundAbsence(
        starts_at=NOW, ends_at=NOW + timedelta(hours=hours), title=title, is_likely=hours >= 4
    )
    assert is_wanted(found, words_of(words)) is is_one
