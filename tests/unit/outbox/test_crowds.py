"""When notices become a picture, and how many a target takes: pure decisions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sentinel.outbox.crowds import Heard, Waiting, judge_crowd, next_count, room

CHAT = ((timedelta(minutes=1), 5), (timedelta(hours=1), 30))
NOW = datetime(2026, 3, 6, 9, 0, tzinfo=UTC)


def waiting(*problems: int, rank: int = 1) -> list[Waiting]:
    return [Waiting(message_id=100 + n, problem_id=n, rank=rank) for n in problems]


def heard(count: int, *, picture_ago: float | None = None, told: int = 0) -> Heard:
    at = NOW - timedelta(seconds=picture_ago) if picture_ago is not None else None
    return Heard(ranks=dict.fromkeys(range(count), 1), picture_at=at, picture_count=told)


def test_the_first_two_go_alone_and_the_third_makes_a_picture() -> None:
    assert judge_crowd(waiting=waiting(1), heard=heard(0), now=NOW).alone == (101,)
    assert judge_crowd(waiting=waiting(7), heard=heard(1), now=NOW).alone == (107,)
    third = judge_crowd(waiting=waiting(7), heard=heard(2), now=NOW)
    assert (third.alone, third.merged) == ((), (107,))


def test_many_at_one_moment_are_one_picture_for_whoever_heard_nothing() -> None:
    verdict = judge_crowd(waiting=waiting(*range(20)), heard=heard(0), now=NOW)
    assert len(verdict.merged) == 20
    assert not verdict.alone


def test_the_next_picture_waits_until_the_number_doubles_or_five_minutes_passed() -> None:
    early = judge_crowd(waiting=waiting(7), heard=heard(3, picture_ago=60, told=3), now=NOW)
    assert (early.put_off, early.until) == ((107,), NOW + timedelta(minutes=4))
    doubled = judge_crowd(waiting=waiting(7, 8, 9), heard=heard(3, picture_ago=60, told=3), now=NOW)
    assert len(doubled.merged) == 3
    later = judge_crowd(waiting=waiting(7), heard=heard(3, picture_ago=300, told=3), now=NOW)
    assert later.merged == (107,)


def test_pictures_never_come_faster_than_every_half_minute() -> None:
    verdict = judge_crowd(waiting=waiting(*range(50, 90)), heard=heard(3, picture_ago=10, told=3), now=NOW)
    assert not verdict.merged
    assert verdict.until == NOW + timedelta(seconds=20)


def test_whatever_is_worse_than_all_before_goes_at_once_and_alone() -> None:
    mixed = [*waiting(7), *waiting(8, 9, rank=2)]
    verdict = judge_crowd(waiting=mixed, heard=heard(3, picture_ago=60, told=3), now=NOW)
    assert len(verdict.alone) == 1
    assert verdict.alone[0] in (108, 109)
    assert 107 not in verdict.alone


def test_pictures_come_at_growing_numbers() -> None:
    assert [next_count(told) for told in (0, 2, 3, 5, 6, 12, 30)] == [3, 3, 6, 6, 12, 24, 48]


def test_a_full_minute_frees_a_place_when_its_oldest_notice_leaves_it() -> None:
    passed = [NOW - timedelta(seconds=s) for s in (50, 40, 30, 20, 10)]
    assert room(limits=CHAT, passed=passed, now=NOW) == (0, NOW + timedelta(seconds=10))
    assert room(limits=CHAT, passed=passed[1:], now=NOW) == (1, None)


def test_the_hour_counts_beside_the_minute() -> None:
    passed = [NOW - timedelta(minutes=59 - n) for n in range(30)]
    assert room(limits=CHAT, passed=passed, now=NOW) == (0, NOW + timedelta(minutes=1))


def test_without_limits_there_is_always_room() -> None:
    assert room(limits=(), passed=[NOW] * 1000, now=NOW) == (None, None)
