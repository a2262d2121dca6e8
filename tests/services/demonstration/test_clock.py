"""The demonstration's clock: forward only, and never in production."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pytest_django.fixtures import Settings

from sentinel.demonstration.clock import DemonstrationClock
from sentinel.demonstration.models import ClockOffset
from sentinel.demonstration.selectors import clock_offset, forget_clock_offset
from sentinel.demonstration.services import advance_clock, catch_mail, set_clock_offset
from sentinel.kernel.errors import Refused
from sentinel.timeline.models import Event

NOW = datetime(2026, 3, 6, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _demonstration(settings: Settings) -> None:
    settings.DEMONSTRATION = True
    forget_clock_offset()


def test_an_advance_moves_every_process_s_now() -> None:
    before = DemonstrationClock().now()
    assert advance_clock(by=2 * DAY, actor_name="Ada", now=NOW) == NOW + 2 * DAY
    assert clock_offset() == 2 * DAY
    assert DemonstrationClock().now() - before >= 2 * DAY


def test_advances_add_up_and_each_is_on_the_timeline() -> None:
    advance_clock(by=DAY, actor_name="Ada", now=NOW)
    advance_clock(by=DAY / 2, actor_name="Ada", now=NOW)
    assert clock_offset() == 1.5 * DAY
    assert list(Event.objects.values_list("verb", "actor_name")) == [("clock.advanced", "Ada")] * 2


@pytest.mark.parametrize("by", [timedelta(), -DAY, 400 * DAY])
def test_it_goes_neither_back_nor_absurdly_far(by: timedelta) -> None:
    with pytest.raises(Refused):
        advance_clock(by=by, actor_name="Ada", now=NOW)
    assert clock_offset() == timedelta()


def test_outside_a_demonstration_everything_refuses_and_the_clock_stands_where_it_is(
    settings: Settings,
) -> None:
    set_clock_offset(offset=DAY)
    settings.DEMONSTRATION = False
    assert clock_offset() == timedelta()
    for refused in (
        lambda: advance_clock(by=DAY, actor_name="Ada", now=NOW),
        lambda: set_clock_offset(offset=DAY),
        lambda: catch_mail(sender="", recipients=["a@b.example"], raw=b"", now=NOW),
    ):
        with pytest.raises(Refused, match="demonstration"):
            refused()
    assert ClockOffset.objects.get().offset == DAY
