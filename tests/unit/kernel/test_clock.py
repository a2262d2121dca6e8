from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sentinel.kernel import clock

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_it_tells_the_system_time_in_utc_unless_told_otherwise() -> None:
    before = datetime.now(UTC)
    told = clock.SystemClock().now()
    assert before <= told <= datetime.now(UTC)
    assert told.tzinfo is UTC


def test_a_fixed_clock_stands_still_until_it_is_advanced() -> None:
    fixed = clock.FixedClock(NOON)
    assert fixed.now() == fixed.now() == NOON
    assert fixed.advance(days=2, minutes=5) == NOON + timedelta(days=2, minutes=5)
    assert fixed.now() == NOON + timedelta(days=2, minutes=5)


def test_a_fixed_clock_can_jump_both_ways() -> None:
    fixed = clock.FixedClock(NOON)
    fixed.set(NOON - timedelta(days=1))
    assert fixed.now() == NOON - timedelta(days=1)


def test_advancing_moves_real_time_over_a_clock_change() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    fixed = clock.FixedClock(datetime(2026, 3, 29, 1, 30, tzinfo=berlin))
    fixed.advance(hours=1)
    assert fixed.now().astimezone(berlin).hour == 3


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        clock.FixedClock(NOON.replace(tzinfo=None))
    with pytest.raises(ValueError, match="time zone"):
        clock.FixedClock(NOON).set(NOON.replace(tzinfo=None))


def test_using_restores_the_clock_before_it_even_after_an_error() -> None:
    outer, inner = clock.FixedClock(NOON), clock.FixedClock(NOON + timedelta(hours=1))
    with clock.using(outer):
        with clock.using(inner) as source:
            assert source is inner
            assert clock.now() == NOON + timedelta(hours=1)
        assert clock.now() == NOON
        with pytest.raises(RuntimeError), clock.using(inner):
            raise RuntimeError
        assert clock.now() == NOON


def test_now_is_utc_whatever_the_source_says() -> None:
    class Kathmandu:
        def now(self) -> datetime:
            return NOON.astimezone(ZoneInfo("Asia/Kathmandu"))

    with clock.using(Kathmandu()):
        assert clock.now() == NOON
        assert clock.now().tzinfo is UTC


def test_install_stays() -> None:
    with clock.using(clock.SystemClock()):
        clock.install(clock.FixedClock(NOON))
        assert clock.now() == NOON
