"""Who can be reached, read from the database; quiet hours of one's own; nobody out of reach on a ladder."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sentinel.accounts.errors import AccountRefused
from sentinel.accounts.models import Site
from sentinel.accounts.services import change_account, hand_account_to
from sentinel.channels.base import Sent
from sentinel.checkins.rules import Severity
from sentinel.escalation.models import Ladder
from sentinel.escalation.reaching import LadderReach, ladder_reach
from sentinel.escalation.rules import DEFAULT_POLICY
from sentinel.escalation.simulation import predict
from sentinel.outbox.rules import Result
from sentinel.people.contacts import add_contact_method
from sentinel.people.errors import QuietHoursRefused
from sentinel.people.models import ContactMethod, User, WorkCalendar
from sentinel.people.quiet import set_quiet_hours
from sentinel.people.reach import mark_mail_refused, people_out_of_reach, reach_of, reaches, without_way
from sentinel.people.rules import ContactChannel
from sentinel.people.selectors import calendar_for_telling, calendar_of
from sentinel.people.services import set_absence
from sentinel.workflows.ways import send_test
from tests.world import World

pytestmark = pytest.mark.django_db

WORKDAYS = ("mon", "tue", "wed", "thu", "fri")
SPAM = Sent(result=Result.PERMANENT, detail="550 5.7.1 looks like spam")


def lose(world: World, *users: User) -> None:
    for user in users:
        mark_mail_refused(user_id=user.pk, address=user.email, reason="550 no such user", now=world.now)
        user.refresh_from_db()


def quiet(world: World, week: dict[str, list[list[str]]] | None, zone: str = "") -> User:
    set_quiet_hours(user_id=world.maria.pk, week=week, zone=zone, now=world.now)
    return User.objects.select_related("calendar").get(pk=world.maria.pk)


def test_e_mail_alone_is_a_way_until_the_server_refuses_it(world: World) -> None:
    assert reach_of(world.maria, world.now).is_now
    lose(world, world.maria)
    assert "550 no such user" in reach_of(world.maria, world.now).why_never
    assert without_way([world.maria, world.tom]) == [world.maria]


def test_a_refusal_of_an_address_that_is_no_longer_theirs_says_nothing(world: World) -> None:
    assert not mark_mail_refused(
        user_id=world.maria.pk, address="old@example.com", reason="550", now=world.now
    )
    lose(world, world.maria)
    world.maria.email = "new@example.com"
    assert not without_way([world.maria])


def test_a_test_that_was_taken_brings_the_address_back(world: World) -> None:
    lose(world, world.maria)
    world.advance(minutes=1)
    send_test(method_id=None, user=world.maria, now=world.now)
    world.tick()
    assert not without_way([world.maria])


def test_another_way_is_enough_once_it_is_verified_and_on(world: World) -> None:
    lose(world, world.maria)
    chat = add_contact_method(
        user=world.maria, channel=ContactChannel.CHAT, target="a://b", shown="a://…", label="", now=world.now
    )
    rows = ContactMethod.objects.filter(pk=chat.pk)
    assert without_way([world.maria])
    rows.update(verified_at=world.now)
    assert not without_way([world.maria])
    rows.update(is_enabled=False, off_because="410")
    assert "switched off (410)" in reach_of(world.maria, world.now).why_never


def test_what_became_of_the_last_message_is_told_as_a_doubt(world: World) -> None:
    world.email.will(SPAM)
    send_test(method_id=None, user=world.maria, now=world.now)
    world.tick()
    (mail,) = reach_of(world.maria, world.now).ways
    assert (mail.works, mail.why) == (True, "the last message was refused (550 5.7.1 looks like spam)")


def test_who_is_away_is_not_reached_now_but_their_stand_in_is_named(world: World) -> None:
    set_absence(
        user_id=world.maria.pk,
        starts_at=world.now,
        ends_at=world.now.replace(hour=18),
        deputy_id=world.tom.pk,
        reason="",
        actor=None,
        now=world.now,
    )
    assert reach_of(world.maria, world.now).why_not_now == "Maria Schulz is away; Tom Becker stands in."


def test_many_people_cost_no_more_queries_than_one(world: World) -> None:
    def queries(*users: User) -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            reaches(users, now=world.now)
        return len(seen)

    everybody = list(User.objects.select_related("calendar"))
    assert queries(*everybody) == queries(everybody[0])


def test_the_list_for_administrators_holds_those_who_are_needed(world: World) -> None:
    lose(world, world.maria, world.alan)  # nobody waits for an analyst
    assert [reach.name for reach in people_out_of_reach(world.now)] == ["Maria Schulz"]


def test_quiet_hours_are_ones_own_and_leave_working_hours_alone(world: World) -> None:
    maria = quiet(world, {day: [["09:00", "12:00"]] for day in WORKDAYS}, zone="Europe/Kyiv")
    assert calendar_of(maria).is_open(datetime(2026, 3, 6, 14, tzinfo=UTC))
    assert calendar_for_telling(maria).next_open(world.now) == world.now  # 11:00 in Kyiv
    after = calendar_for_telling(maria).next_open(datetime(2026, 3, 6, 10, tzinfo=UTC))
    assert after == datetime(2026, 3, 9, 7, tzinfo=UTC)
    assert calendar_for_telling(quiet(world, None)) == calendar_of(maria)


def test_a_legal_holiday_is_quiet_also_with_hours_of_ones_own(world: World) -> None:
    world.maria.calendar = WorkCalendar.objects.create(name="Berlin", country="DE", subdivision="BE")
    world.maria.save(update_fields=["calendar"])
    maria = quiet(world, {day: [["08:00", "20:00"]] for day in (*WORKDAYS, "sat", "sun")})
    good_friday = datetime(2026, 4, 3, 9, tzinfo=UTC)
    assert calendar_for_telling(maria).next_open(good_friday).day == 4


@pytest.mark.parametrize(
    ("week", "zone"),
    [
        ({"sun": [["09:00", "17:00"]]}, ""),
        ({}, ""),
        ({"mon": [["nine", "five"]]}, ""),
        ({"someday": [["09:00", "17:00"]]}, ""),
        ({day: [["09:00", "17:00"]] for day in WORKDAYS}, "Mars/Olympus"),
        ({day: [["09:00", "17:00"]] for day in WORKDAYS}, "Asia/Tokyo"),
    ],
)
def test_nobody_makes_themselves_unreachable_by_a_setting(world: World, week: Any, zone: str) -> None:
    with pytest.raises(QuietHoursRefused):
        quiet(world, week, zone)
    world.maria.refresh_from_db()
    assert world.maria.reach_week is None


def test_the_simulator_counts_with_quiet_hours_of_ones_own(world: World) -> None:
    quiet(world, {day: [["08:00", "12:00"]] for day in WORKDAYS})
    site = Site.objects.select_related("account__owner__calendar", "calendar").get(pk=world.kyiv.pk)
    at = datetime(2026, 3, 6, 13, tzinfo=UTC)  # 14:00 in Berlin, at work
    first = predict(site=site, at=at, severity=Severity.HINDERS, steps=1)[0]
    assert (first.user, first.at) == (world.maria, at)
    assert first.mail_at == datetime(2026, 3, 9, 7, tzinfo=UTC)
    stopped = predict(site=site, at=at, severity=Severity.STOPPED, steps=1)[0]
    assert stopped.mail_at == at


# -- ladders and accounts ---------------------------------------------------------------------------


def judge(world: World) -> LadderReach:
    ladder = Ladder.objects.get(is_default=True)
    return ladder_reach(ladder=ladder, is_default=True, rungs=DEFAULT_POLICY.rungs, now=world.now)


def test_a_ladder_on_which_everybody_hears_has_nothing_to_say(world: World) -> None:
    assert judge(world) == LadderReach()


def test_a_rung_that_reaches_nobody_of_one_account_warns_and_of_all_is_a_fault(world: World) -> None:
    lose(world, world.maria)
    found = judge(world)
    assert not found.faults
    assert any("Rung 0 (Lindgren Logistics) would reach nobody" in line for line in found.warnings)
    lose(world, world.otto)
    assert [line.split(" would")[0] for line in judge(world).faults] == ["Rung 0 (Lindgren Logistics)"]


def test_somebody_who_is_away_now_is_named_for_each_rung(world: World) -> None:
    set_absence(
        user_id=world.petra.pk,
        starts_at=world.now,
        ends_at=world.now.replace(hour=18),
        deputy_id=world.tom.pk,
        reason="",
        actor=None,
        now=world.now,
    )
    assert "Rung 2, now: Petra Lang is away; Tom Becker stands in." in judge(world).warnings


def test_an_accounts_own_ladder_is_judged_for_that_account_alone(world: World) -> None:
    lose(world, world.maria)
    own = Ladder(name="Own", account=world.account)
    found = ladder_reach(ladder=own, is_default=False, rungs=DEFAULT_POLICY.rungs, now=world.now)
    assert found.faults
    other = Ladder(name="Other", account=world.other_account)
    assert not ladder_reach(ladder=other, is_default=False, rungs=DEFAULT_POLICY.rungs, now=world.now).faults


def test_nobody_out_of_reach_comes_onto_an_account(world: World) -> None:
    lose(world, world.otto)
    with pytest.raises(AccountRefused, match="Otto Fremd has no way that works"):
        hand_account_to(account_id=world.account.pk, owner_id=world.otto.pk, now=world.now)
    with pytest.raises(AccountRefused, match="Otto Fremd"):
        change_account(account_id=world.account.pk, now=world.now, deputy=world.otto)
    # Whoever stands there already does not keep the rest from being changed.
    lose(world, world.tom)
    change_account(account_id=world.account.pk, now=world.now, external_ref="L-17")
