"""Why a worker is not asked: every reason by itself, and all of them together."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from sentinel.accounts.rules import MailState, Rhythm
from sentinel.checkins.rules import AskingFacts, WhyNot, why_not_asked, words_of

NOW = datetime(2026, 3, 10, 7, 30, tzinfo=UTC)


def reasons(**facts: Any) -> tuple[WhyNot, ...]:
    return why_not_asked(AskingFacts(**({"zone": "Europe/Kyiv"} | facts)), NOW)


def test_nothing_forbids_it_by_itself() -> None:
    assert reasons() == ()


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"has_programme": False}, WhyNot.NO_PROGRAMME),
        ({"account_is_active": False}, WhyNot.ACCOUNT_INACTIVE),
        ({"is_permitted": False}, WhyNot.NO_PERMISSION),
        ({"has_left": True}, WhyNot.LEFT),
        ({"is_unsubscribed": True}, WhyNot.UNSUBSCRIBED),
        ({"rhythm": Rhythm.PAUSE}, WhyNot.PAUSED),
        ({"paused_until": date(2026, 3, 11)}, WhyNot.PAUSED),
        ({"rhythm": Rhythm.PAUSE, "paused_until": date(2026, 3, 11)}, WhyNot.PAUSED),
        ({"mail_state": MailState.BOUNCED}, WhyNot.BOUNCED),
        ({"mail_state": MailState.COMPLAINED}, WhyNot.COMPLAINED),
        ({"is_suppressed": True}, WhyNot.SUPPRESSED),
        ({"is_braked": True}, WhyNot.COMPLAINT_BRAKE),
        ({"has_open_problem": True}, WhyNot.OPEN_PROBLEM),
        ({"away_until": date(2026, 3, 11)}, WhyNot.AWAY),
        ({"last_sent_at": NOW - timedelta(days=6)}, WhyNot.FATIGUE),
        ({"mails_in_7_days": 2}, WhyNot.FATIGUE),
    ],
)
def test_each_reason_is_named(facts: dict[str, Any], reason: WhyNot) -> None:
    assert reasons(**facts) == (reason,)
    assert words_of(reason)


@pytest.mark.parametrize(
    "facts",
    [
        {"has_open_problem": True, "about_problem_id": 9},
        {"paused_until": date(2026, 3, 10)},
        {"away_until": date(2026, 3, 10)},
        {"rhythm": Rhythm.PAUSE, "paused_until": date(2026, 3, 10)},
        {"last_sent_at": NOW - timedelta(days=7)},
        # A few seconds less than a week, on the same weekday: a week on the wall all the same.
        {"last_sent_at": NOW - timedelta(days=7) + timedelta(minutes=5)},
        {"mails_in_7_days": 1},
    ],
)
def test_what_does_not_forbid_it(facts: dict[str, Any]) -> None:
    assert reasons(**facts) == ()


def test_all_reasons_are_told_the_weightiest_first() -> None:
    found = reasons(is_permitted=False, has_left=True, mails_in_7_days=3, is_unsubscribed=True)
    assert found == (WhyNot.NO_PERMISSION, WhyNot.LEFT, WhyNot.UNSUBSCRIBED, WhyNot.FATIGUE)
    assert all(words_of(reason) for reason in WhyNot)
