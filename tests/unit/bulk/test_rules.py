"""What answers mean, when to try again, and how fast: counted on a clock that the test moves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.bulk.rules import (
    DEFERRALS,
    GIVE_UP_AFTER,
    Blame,
    Pace,
    Patience,
    Refusals,
    Result,
    Stage,
    judge,
    next_try,
    read_answer,
)

NOW = datetime(2026, 3, 6, 9, 0, tzinfo=UTC)
FRESH, USED = 0, 5


def verdict(stage: Stage, reply: str, sent_before: int = USED):  # type: ignore[no-untyped-def]
    return judge(read_answer(stage, int(reply[:3]), reply[4:]), sent_before=sent_before)


def test_an_answer_is_split_into_codes_and_words() -> None:
    answer = read_answer(Stage.RCPT, 550, "5.1.1 <x@y>: no such user")
    assert (answer.enhanced, answer.text) == ("5.1.1", "<x@y>: no such user")
    # Somebody's words that only look like a code of this class are words.
    assert read_answer(Stage.RCPT, 550, "4.1.1 odd").enhanced == ""
    assert read_answer(Stage.BODY, 250, "queued as 5.1.1").text == "queued as 5.1.1"


@pytest.mark.parametrize(
    ("stage", "reply", "result", "blame"),
    [
        (Stage.BODY, "250 2.0.0 queued", Result.SENT, Blame.NOBODY),
        (Stage.RCPT, "550 5.1.1 no such user", Result.FAILED, Blame.NOBODY),
        (Stage.RCPT, "550 no such user", Result.FAILED, Blame.NOBODY),
        (Stage.RCPT, "552 5.2.2 mailbox full", Result.FAILED, Blame.NOBODY),
        (Stage.BODY, "554 5.6.0 we cannot read this", Result.FAILED, Blame.NOBODY),
        (Stage.MAIL, "552 5.3.4 too big", Result.FAILED, Blame.NOBODY),
        (Stage.MAIL, "553 5.6.7 no SMTPUTF8", Result.FAILED, Blame.NOBODY),
        (Stage.RCPT, "450 4.2.0 greylisted", Result.DEFERRED, Blame.LANE),
        (Stage.RCPT, "451 4.7.500 server busy (AS123)", Result.DEFERRED, Blame.LANE),
        (Stage.BODY, "452 4.2.2 mailbox full just now", Result.DEFERRED, Blame.LANE),
        (Stage.BODY, "451 4.3.2 system not accepting", Result.DEFERRED, Blame.RELAY),
        (Stage.RCPT, "454 4.4.1 no route", Result.DEFERRED, Blame.NOBODY),
        (Stage.RCPT, "550 5.7.1 blocked by policy", Result.BLOCKED, Blame.LANE),
        (Stage.BODY, "554 5.7.1 rejected as spam", Result.BLOCKED, Blame.LANE),
        (Stage.RCPT, "550 5.7.515 not authenticated", Result.BLOCKED, Blame.LANE),
        # Ours: nobody's try is used.
        (Stage.RCPT, "554 5.7.1 <x@y>: Relay access denied", Result.RETURNED, Blame.RELAY),
        (Stage.RCPT, "550 relaying prohibited", Result.RETURNED, Blame.RELAY),
        (Stage.MAIL, "530 5.7.0 sign in first", Result.RETURNED, Blame.RELAY),
        (Stage.MAIL, "550 5.1.8 bad sender", Result.RETURNED, Blame.RELAY),
        (Stage.MAIL, "452 4.3.1 disk full", Result.RETURNED, Blame.RELAY),
        (Stage.DATA, "451 4.3.0 queue file", Result.RETURNED, Blame.RELAY),
        (Stage.CONNECT, "554 5.7.1 go away", Result.RETURNED, Blame.RELAY),
    ],
)
def test_who_is_to_blame_decides(stage: Stage, reply: str, result: Result, blame: Blame) -> None:
    said = verdict(stage, reply)
    assert (said.result, said.blame) == (result, blame)


def test_a_421_after_good_mails_is_the_limit_of_the_connection() -> None:
    said = verdict(Stage.MAIL, "421 4.7.0 too many mails on this connection")
    assert (said.result, said.blame) == (Result.RETURNED, Blame.NOBODY)


def test_a_421_on_a_fresh_connection_asks_the_relay_s_mail_for_patience() -> None:
    said = verdict(Stage.MAIL, "421 4.3.2 come back later", FRESH)
    assert (said.result, said.blame, said.weight) == (Result.RETURNED, Blame.RELAY, 2)


def test_a_421_about_a_recipient_s_pace_puts_that_delivery_off() -> None:
    said = verdict(Stage.RCPT, "421 4.7.28 too much mail from you")
    assert (said.result, said.blame) == (Result.DEFERRED, Blame.LANE)


# -- trying again ----------------------------------------------------------------------------------


def test_the_waits_grow_and_the_last_try_is_a_day_after_the_first() -> None:
    tries, at = [NOW], NOW
    while (after := next_try(attempts=len(tries), first_tried_at=NOW, now=at)) is not None:
        at = after
        tries.append(at)
    waits = [after - before for before, after in pairwise(tries)]
    assert tuple(waits[:6]) == DEFERRALS
    assert tries[-1] == NOW + GIVE_UP_AFTER
    assert len(tries) == 9


def test_a_try_that_comes_a_day_late_is_the_last() -> None:
    assert next_try(attempts=1, first_tried_at=NOW, now=NOW + timedelta(hours=25)) is None


# -- pace ------------------------------------------------------------------------------------------


def passes(pace: Pace, seconds: float, *, every: float = 0.0) -> list[float]:
    """When mails pass if somebody always has one ready, looking at once or only ``every`` so often."""
    passed, now = [], 0.0
    while now < seconds:
        wait = pace.wait(now)
        if wait == 0.0:
            pace.take(now)
            passed.append(now)
        else:
            now += max(wait, every, 1e-9)
    return passed


@pytest.mark.parametrize(
    ("count", "seconds"),
    [(1, 1), (2, 1), (10, 1), (997, 1), (1000, 1), (12_345, 60), (1, 60), (3600, 3600), (0.5, 60), (30, 60)],
)
def test_no_stretch_of_time_holds_more_than_the_limit(count: float, seconds: float) -> None:
    passed = passes(Pace(count, seconds), 3 * seconds / min(1.0, count))
    assert len(passed) > 2
    for at, one_too_many in zip(passed, passed[max(1, int(count)) :], strict=False):
        assert one_too_many >= at + seconds


@given(count=st.integers(1, 5000), seconds=st.sampled_from([1, 60, 3600]), every=st.floats(0, 0.05))
def test_no_stretch_holds_more_however_seldom_somebody_looks(count: int, seconds: int, every: float) -> None:
    pace = Pace(count, seconds)
    passed = passes(pace, min(2 * seconds, 20 * pace.window), every=every)
    for at, later in zip(passed, passed[pace.per_window :], strict=False):
        assert later >= at + pace.window * (1 - 1e-9)
    assert pace.per_window * seconds / pace.window <= count * (1 + 1e-9)


@pytest.mark.parametrize(("count", "seconds"), [(2, 1), (100, 1), (1000, 1), (60, 60)])
def test_the_limit_is_used_to_the_full_and_evenly(count: int, seconds: int) -> None:
    passed = passes(Pace(count, seconds), 4 * seconds - 1e-6)
    assert len(passed) == 4 * count
    assert sum(1 for at in passed if at < seconds / 2) <= count / 2 + 1


def test_changing_a_pace_opens_no_gap() -> None:
    pace = Pace(1, 1)
    pace.take(10.0)
    faster = pace.changed(2)
    assert faster.wait(10.0) == pytest.approx(0.5)


@pytest.mark.parametrize("wrong", [(0, 1), (-1, 1), (1, 0)])
def test_a_pace_of_nothing_is_refused(wrong: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="lets something through"):
        Pace(*wrong)


# -- patience --------------------------------------------------------------------------------------


def test_asked_for_patience_the_pace_is_halved_once_and_then_won_back() -> None:
    patience = Patience(1 / 60)
    assert patience.asked(2, now=100.0, recent_rate=40.0, at_once=True)
    assert patience.per_second == 20.0
    # What was on its way already is no second complaint.
    assert not patience.asked(2, now=101.0, recent_rate=40.0, at_once=True)
    assert patience.asked(2, now=106.0, recent_rate=20.0, at_once=True)
    paces = won_back(patience, since=106.0)
    assert paces[:2] == [10.0, 14.0]
    assert paces[-2:] == [pytest.approx(78.0), None]


def won_back(patience: Patience, *, since: float) -> list[float | None]:
    """Its paces, step by step, while nobody complains."""
    paces, now = [patience.per_second], since
    while paces[-1] is not None:
        now += patience.STEP_SECONDS
        assert patience.win_back(now)
        paces.append(patience.per_second)
    return paces


def test_it_never_gets_slower_than_its_floor() -> None:
    patience, now = Patience(0.5), 0.0
    for _ in range(30):
        now += 10
        patience.asked(2, now=now, recent_rate=4.0, at_once=True)
    assert patience.per_second == 0.5


def test_a_few_who_shall_come_later_slow_nobody_down() -> None:
    patience = Patience(1 / 60)
    for number in range(2000):
        if number % 20 == 19:
            assert not patience.asked(1, now=float(number), recent_rate=100.0)
        else:
            patience.answered_well()
    assert patience.per_second is None


def test_a_good_part_of_the_answers_is_a_complaint() -> None:
    patience = Patience(1 / 60)
    halved = False
    for number in range(40):
        if number % 2:
            halved = patience.asked(1, now=10.0 + number, recent_rate=100.0) or halved
        else:
            patience.answered_well()
    assert halved


# -- blocks ----------------------------------------------------------------------------------------


def test_the_first_refusal_of_us_means_a_block_where_nothing_was_ever_taken() -> None:
    assert Refusals().refused()


def test_one_mailbox_with_a_rule_of_its_own_is_no_block_but_several_are() -> None:
    refusals = Refusals()
    refusals.taken()
    assert not refusals.refused()
    assert not refusals.refused()
    assert refusals.refused()


def test_refusals_far_apart_are_no_block() -> None:
    refusals = Refusals()
    for _ in range(10):
        for _ in range(Refusals.AMONG):
            refusals.taken()
        assert not refusals.refused()


def test_whoever_lets_a_domain_go_on_starts_anew() -> None:
    refusals = Refusals()
    refusals.refused()
    refusals.forget()
    refusals.taken()
    assert not refusals.refused()
