"""Hours, absences, the rota, and who may change whom."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from sentinel.kernel.errors import NotAllowed
from sentinel.people.errors import AbsenceRefused, ShiftRefused, UserRefused
from sentinel.people.models import Absence, OfficerShift, User, WorkCalendar
from sentinel.people.rules import Role
from sentinel.people.selectors import active_users_with_role, calendar_of, officer_on, stood_in_for, who_acts
from sentinel.people.services import (
    assign_officer,
    create_user,
    end_absence,
    set_absence,
    set_active,
    set_password,
    set_roles,
)
from sentinel.timeline.models import Event

NOW = datetime(2026, 3, 6, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)

pytestmark = pytest.mark.django_db


def make(name: str, *roles: Role, **columns: Any) -> User:
    return create_user(email=f"{name.lower()}@provider.example", name=name, roles=roles, now=NOW, **columns)


def away(user: User, deputy: User | None = None, *, days: int = 5, actor: User | None = None) -> Absence:
    return set_absence(
        user_id=user.pk,
        starts_at=NOW,
        ends_at=NOW + days * DAY,
        deputy_id=deputy.pk if deputy else None,
        reason="holiday",
        actor=actor,
        now=NOW,
    )


def test_without_a_calendar_a_user_works_nine_to_five_in_their_own_zone() -> None:
    hours = calendar_of(make("Maria", Role.OWNER, zone="Europe/Berlin"))
    assert hours.is_open(datetime(2026, 3, 6, 8, 0, tzinfo=UTC))
    assert not hours.is_open(datetime(2026, 3, 6, 16, 0, tzinfo=UTC))
    assert not hours.is_open(datetime(2026, 3, 7, 10, 0, tzinfo=UTC))


def test_a_calendar_has_legal_holidays_plus_and_minus_its_own() -> None:
    calendar = WorkCalendar.objects.create(
        name="Berlin",
        country="DE",
        subdivision="BE",
        extra_holidays=[date(2026, 6, 12)],
        working_holidays=[date(2026, 5, 1)],
    )
    hours = calendar_of(make("Maria", zone="Europe/Berlin", calendar=calendar))
    assert not hours.is_business_day(date(2026, 12, 25))
    assert not hours.is_business_day(date(2027, 3, 8))  # Women's Day is a holiday in Berlin only
    assert not hours.is_business_day(date(2026, 6, 12))
    assert hours.is_business_day(date(2026, 5, 1))


@pytest.mark.parametrize(("country", "subdivision"), [("XX", ""), ("DE", "ZZ")])
def test_an_unknown_country_or_subdivision_breaks_nothing(country: str, subdivision: str) -> None:
    calendar = WorkCalendar.objects.create(name="Odd", country=country, subdivision=subdivision)
    assert calendar_of(make("Maria", calendar=calendar)).is_open(NOW)


def test_an_edited_calendar_counts_at_once() -> None:
    calendar = WorkCalendar.objects.create(name="Office")
    user = make("Maria", calendar=calendar)
    assert calendar_of(user).is_open(NOW)
    calendar.extra_holidays = [NOW.date()]
    calendar.save()
    assert not calendar_of(User.objects.get(pk=user.pk)).is_open(NOW)


def test_whoever_is_away_is_replaced_by_their_deputy_and_by_the_deputys_deputy() -> None:
    maria, tom, petra = make("Maria"), make("Tom"), make("Petra")
    away(maria, tom)
    assert who_acts(maria.pk, NOW) == tom.pk
    away(tom, petra)
    assert who_acts(maria.pk, NOW) == petra.pk
    assert stood_in_for(petra.pk, NOW) == {maria.pk, tom.pk}
    assert who_acts(maria.pk, NOW + 5 * DAY) == maria.pk


def test_without_a_deputy_of_their_own_the_accounts_deputy_acts_and_if_nobody_is_there_they_themselves() -> (
    None
):
    maria, tom = make("Maria"), make("Tom")
    away(maria)
    assert who_acts(maria.pk, NOW) == maria.pk
    assert who_acts(maria.pk, NOW, default_deputy_id=tom.pk) == tom.pk


def test_a_deactivated_user_is_away_for_good() -> None:
    maria, tom = make("Maria"), make("Tom")
    set_active(user_id=maria.pk, is_active=False, now=NOW)
    assert who_acts(maria.pk, NOW, default_deputy_id=tom.pk) == tom.pk


def test_an_absence_can_be_ended_early_and_a_future_one_is_taken_off() -> None:
    maria, tom = make("Maria"), make("Tom")
    absence = away(maria, tom)
    end_absence(absence_id=absence.pk, actor=maria, now=NOW + DAY)
    assert who_acts(maria.pk, NOW + DAY) == maria.pk
    absence.refresh_from_db()
    assert absence.ends_at == NOW + DAY


def test_absences_that_make_no_sense_are_refused() -> None:
    maria, tom = make("Maria"), make("Tom")
    with pytest.raises(AbsenceRefused, match="end after it begins"):
        away(maria, tom, days=0)
    with pytest.raises(AbsenceRefused, match="for themselves"):
        away(maria, maria)
    away(maria, tom)
    with pytest.raises(AbsenceRefused, match="already away until 11 March 2026"):
        away(maria)
    set_active(user_id=maria.pk, is_active=False, now=NOW)
    with pytest.raises(AbsenceRefused, match="active user"):
        away(tom, maria)


def test_only_the_person_their_manager_and_administrators_enter_an_absence() -> None:
    petra = make("Petra", Role.MANAGER)
    maria, tom, ada = make("Maria", manager=petra), make("Tom"), make("Ada", Role.ADMINISTRATOR)
    with pytest.raises(NotAllowed):
        away(maria, actor=tom)
    for actor in (maria, petra, ada):
        end_absence(absence_id=away(maria, actor=actor).pk, actor=actor, now=NOW)


def test_the_officer_of_the_day_changes_at_midnight_of_their_own_zone() -> None:
    ines = make("Ines", Role.OFFICER, zone="Europe/Paris")
    uma = make("Uma", Role.OFFICER, zone="Europe/Paris")
    assign_officer(on=date(2026, 3, 6), officer_id=ines.pk, now=NOW)
    assign_officer(on=date(2026, 3, 7), officer_id=uma.pk, now=NOW)
    assert officer_on(datetime(2026, 3, 6, 22, 59, tzinfo=UTC)) == ines
    assert officer_on(datetime(2026, 3, 6, 23, 0, tzinfo=UTC)) == uma
    assert officer_on(datetime(2026, 3, 9, 9, 0, tzinfo=UTC)) is None


def test_where_two_zones_have_today_at_once_the_one_at_work_is_the_officer() -> None:
    tokyo = make("Ken", Role.OFFICER, zone="Asia/Tokyo")
    berlin = make("Ines", Role.OFFICER, zone="Europe/Berlin")
    assign_officer(on=date(2026, 3, 5), officer_id=berlin.pk, now=NOW)
    assign_officer(on=date(2026, 3, 6), officer_id=tokyo.pk, now=NOW)
    assert officer_on(datetime(2026, 3, 5, 15, 30, tzinfo=UTC)) == berlin  # 16:30 in Berlin, 00:30 in Tokyo
    assert officer_on(datetime(2026, 3, 5, 22, 0, tzinfo=UTC)) == tokyo  # nobody works; the later day counts


def test_an_absent_officer_is_replaced() -> None:
    ines, uma = make("Ines", Role.OFFICER), make("Uma", Role.OFFICER)
    assign_officer(on=NOW.date(), officer_id=ines.pk, now=NOW)
    away(ines, uma)
    assert officer_on(NOW) == uma


def test_only_officers_and_executives_stand_on_the_rota_and_each_date_has_one() -> None:
    ines, henrik = make("Ines", Role.OFFICER), make("Henrik", Role.EXECUTIVE)
    with pytest.raises(ShiftRefused):
        assign_officer(on=NOW.date(), officer_id=make("Maria", Role.OWNER).pk, now=NOW)
    with pytest.raises(NotAllowed):
        assign_officer(on=NOW.date(), officer_id=ines.pk, actor=make("Tom", Role.OWNER), now=NOW)
    assign_officer(on=NOW.date(), officer_id=ines.pk, hand_over_note="Printers!", now=NOW)
    assign_officer(on=NOW.date(), officer_id=henrik.pk, now=NOW)
    shift = OfficerShift.objects.get()
    assert (shift.officer, shift.hand_over_note) == (henrik, "Printers!")


def test_users_with_a_role_are_the_active_ones() -> None:
    ines = make("Ines", Role.OFFICER)
    set_active(user_id=make("Uma", Role.OFFICER).pk, is_active=False, now=NOW)
    assert list(active_users_with_role(Role.OFFICER)) == [ines]


def test_an_administrator_opens_the_back_office_and_nobody_else_does() -> None:
    ada = make("Ada", Role.ADMINISTRATOR)
    assert ada.is_staff
    changed = set_roles(user_id=ada.pk, roles=[Role.ANALYST], now=NOW)
    assert not changed.is_staff
    assert Event.objects.latest("id").data == {"roles": [["administrator"], ["analyst"]]}
    with pytest.raises(NotAllowed):
        set_roles(user_id=ada.pk, roles=[Role.ADMINISTRATOR], actor=changed, now=NOW)


def test_two_users_cannot_share_an_address_and_it_must_be_one() -> None:
    make("Maria")
    with pytest.raises(UserRefused, match="already a user"):
        create_user(email="MARIA@provider.example", name="Maria", roles=[], now=NOW)
    with pytest.raises(UserRefused, match="email: Enter a valid email address"):
        create_user(email="nonsense", name="Maria", roles=[], now=NOW)


def test_a_weak_password_is_refused_and_others_may_not_set_it() -> None:
    maria, tom = make("Maria"), make("Tom")
    with pytest.raises(UserRefused, match="too common"):
        set_password(user_id=maria.pk, password="password", now=NOW)
    with pytest.raises(NotAllowed):
        set_password(user_id=maria.pk, password="a-good-long-one", actor=tom, now=NOW)
    set_password(user_id=maria.pk, password="a-good-long-one", actor=maria, now=NOW)
    maria.refresh_from_db()
    assert maria.check_password("a-good-long-one")
    assert "a-good-long-one" not in str(list(Event.objects.values_list("data", flat=True)))
