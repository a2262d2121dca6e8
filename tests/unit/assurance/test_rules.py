"""What counts as a fault, and when the outside may hear that all is well."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sentinel.assurance.rules import Check, Grade, Seen, judge, may_ping, step_of_clock

NOW = datetime(2026, 3, 6, 9, 0, tzinfo=UTC)


def _late(check: Check, **late: float) -> Seen:
    return Seen(check=check, count=1, oldest=NOW - timedelta(**late))


@pytest.mark.parametrize("check", list(Check))
def test_every_check_can_be_judged_and_nothing_seen_is_no_fault(check: Check) -> None:
    assert judge([Seen(check=check, count=0, oldest=None)], NOW) == []
    seen = Seen(check=check, count=2, oldest=NOW - timedelta(days=1), ids=(1, 2), scope="email", detail="x")
    (fault,) = judge([seen], NOW)
    assert fault.words
    assert fault.what_to_do.endswith(".")
    assert fault.ids == (1, 2)


@pytest.mark.parametrize(
    ("check", "patience"),
    [
        (Check.TIMER_LATE, 60),
        (Check.LEASE_EXPIRED, 60),
        (Check.MESSAGE_LATE, 120),
        (Check.MAIL_UNREAD, 120),
        (Check.SENDER_SILENT, 120),
        (Check.CANARY_LATE, 300),
    ],
)
def test_lateness_counts_from_its_patience_on(check: Check, patience: int) -> None:
    assert judge([_late(check, seconds=patience)], NOW) == []
    (fault,) = judge([_late(check, seconds=patience + 1)], NOW)
    assert fault.grade is Grade.ALARM
    assert fault.late_seconds == patience + 1


def test_a_problem_without_a_duty_is_an_alarm_at_once() -> None:
    (fault,) = judge([Seen(check=Check.PROBLEM_WITHOUT_DUTY, count=1, ids=(7,))], NOW)
    assert fault.grade is Grade.ALARM
    assert fault.words == "1 open problem has no duty"


def test_alarms_come_first_and_each_channel_is_a_fault_of_its_own() -> None:
    faults = judge(
        [
            Seen(check=Check.DUTY_WITHOUT_PROBLEM, count=1),
            Seen(check=Check.MESSAGE_LATE, count=3, scope="email", oldest=NOW - timedelta(hours=1)),
            Seen(check=Check.MESSAGE_LATE, count=3, scope="console", oldest=NOW - timedelta(hours=1)),
        ],
        NOW,
    )
    assert [fault.key for fault in faults] == [
        "message_late:console",
        "message_late:email",
        "duty_without_problem",
    ]


def test_the_outside_hears_that_all_is_well_only_without_an_alarm() -> None:
    assert may_ping([])
    assert may_ping(judge([Seen(check=Check.DUTY_WITHOUT_PROBLEM, count=1)], NOW))
    assert not may_ping(judge([_late(Check.TIMER_LATE, minutes=2)], NOW))


@pytest.mark.parametrize("seconds", [-3600.0, -5.1, 5.1, 3600.0])
def test_a_jump_of_the_clock_is_seen_in_both_directions(seconds: float) -> None:
    jump = timedelta(seconds=seconds)
    found = step_of_clock(wall_elapsed=timedelta(seconds=10) + jump, steady_elapsed=timedelta(seconds=10))
    assert found == jump


@pytest.mark.parametrize("drift", [-5.0, 0.0, 5.0])
def test_a_clock_that_is_steered_gently_did_not_jump(drift: float) -> None:
    wall = timedelta(seconds=10 + drift)
    assert step_of_clock(wall_elapsed=wall, steady_elapsed=timedelta(seconds=10)) is None
