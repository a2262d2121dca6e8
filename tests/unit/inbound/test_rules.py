"""What is decided about incoming mail without looking anything up."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from sentinel.checkins.rules import ByMail, Evidence, Face, Press, judge
from sentinel.inbound.reading.shapes import Grade, Report
from sentinel.inbound.rules import (
    LONGEST_ABSENCE,
    TRIES,
    back_off,
    describe_files,
    gravest,
    is_sane_return,
    may_be_answered,
)
from tests.world import START

TODAY = date(2026, 3, 6)


def test_a_failing_mail_waits_longer_each_time_and_then_for_a_person() -> None:
    waits = [back_off(tries) for tries in range(1, TRIES + 1)]
    assert waits == [timedelta(seconds=30), timedelta(minutes=5), None]


@pytest.mark.parametrize(
    ("day", "believed"),
    [
        (None, False),
        (TODAY, False),
        (TODAY - timedelta(days=1), False),
        (TODAY + timedelta(days=1), True),
        (TODAY + LONGEST_ABSENCE, True),
        (TODAY + LONGEST_ABSENCE + timedelta(days=1), False),
    ],
)
def test_a_day_of_return_lies_ahead_and_not_absurdly_far(day: date | None, believed: bool) -> None:
    assert is_sane_return(day, today=TODAY) is believed


@pytest.mark.parametrize(
    ("head", "sender", "allowed"),
    [
        (b"Subject: hello\r\n\r\nbody", "a@b.example", True),
        (b"Subject: hello\r\n\r\nbody", "", False),
        (b"Subject: hello\r\n\r\nbody", "<>", False),
        (b"Precedence: bulk\r\n\r\n", "a@b.example", False),
        (b"PRECEDENCE:\tList\n\n", "a@b.example", False),
        (b"List-Id: <staff.example>\r\n\r\n", "a@b.example", False),
        (b"Auto-Submitted: auto-replied\r\n\r\n", "a@b.example", False),
        (b"Auto-Submitted: no\r\n\r\n", "a@b.example", True),
        (b"Subject: hello\r\n\r\nPrecedence: bulk\r\n", "a@b.example", True),
    ],
)
def test_a_machine_answers_only_what_a_person_sent_to_it_alone(
    head: bytes, sender: str, allowed: bool
) -> None:
    assert may_be_answered(head, envelope_from=sender) is allowed


def report(grade: Grade) -> Report:
    return Report(
        grade=grade, action="failed", status="", diagnostic="", recipient="", original_message_id=""
    )


def test_of_several_reports_the_gravest_decides() -> None:
    found = gravest([report(Grade.DELAY), report(Grade.HARD), report(Grade.SOFT)])
    assert found is not None
    assert found.grade is Grade.HARD
    assert gravest([]) is None


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([], ""),
        ([("image/png", "")], "1 picture"),
        ([("image/png", ""), ("image/jpeg", ""), ("application/pdf", "")], "2 pictures, 1 file"),
        ([("application/zip", "too large")], "1 file (1 of them not kept)"),
    ],
)
def test_attachments_are_told_in_words(files: list[tuple[str, str]], words: str) -> None:
    assert describe_files(files) == words


@pytest.mark.parametrize(
    ("by_mail", "evidence"),
    [(ByMail.THREADED, Evidence.VERIFIED), (ByMail.UNPROVEN, Evidence.PROVISIONAL)],
)
@pytest.mark.parametrize("has_text", [True, False])
def test_a_mail_counts_by_its_thread_and_never_by_its_words(
    by_mail: ByMail, evidence: Evidence, has_text: bool
) -> None:
    press = Press(
        face=Face.FROWN,
        at=START,
        has_text=has_text,
        trusted_event=False,
        script_ran=False,
        plain_step_passed=False,
        by_mail=by_mail,
    )
    verdict = judge(press=press, visits=[], presses=[])
    assert verdict.evidence is evidence
    assert not verdict.offer_plain_step
