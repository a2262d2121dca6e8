"""Who sees what, which sites may be asked, and finding workers."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from sentinel.accounts.models import Account
from sentinel.accounts.selectors import (
    account_for,
    accounts_visible_to,
    accounts_with_counts,
    calendar_of_site,
    is_site_permitted,
    may_change_account,
    may_read_account,
    permission_facts,
    permitted_site_ids,
    search_workers,
    sites_of,
    workers_of,
)
from sentinel.accounts.services import (
    change_account,
    grant_permission,
    mark_bounced,
    withdraw_permission,
    worker_left,
)
from sentinel.people.models import User
from sentinel.people.rules import Role
from sentinel.people.services import set_absence, set_active
from tests.services.accounts.conftest import NOW, Customer, make_user


def seen_by(user: User) -> set[str]:
    return set(accounts_visible_to(user, NOW).values_list("name", flat=True))


@pytest.mark.parametrize("who", ["owner", "deputy", "manager", "executive"])
def test_whoever_is_named_by_an_account_sees_it_and_no_other(customer: Customer, who: str) -> None:
    assert seen_by(getattr(customer, who)) == {"Lindgren"}


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.ANALYST, Role.OFFICER])
def test_administrators_analysts_and_officers_see_all(customer: Customer, role: Role) -> None:
    assert seen_by(make_user("Somebody", role)) == {"Lindgren", "Other"}


def test_an_outsider_sees_nothing_of_it(customer: Customer) -> None:
    assert seen_by(customer.outsider) == {"Other"}
    assert not may_read_account(customer.outsider, customer.account, NOW)
    assert account_for(customer.outsider, customer.account.pk, NOW) is None


def test_an_executive_sees_accounts_nobody_answers_for(customer: Customer) -> None:
    Account.objects.filter(name="Other").update(focus_executive=None)
    assert seen_by(customer.executive) == {"Lindgren", "Other"}


def test_a_manager_sees_the_accounts_of_the_owners_they_lead(customer: Customer) -> None:
    User.objects.filter(pk=customer.outsider.pk).update(manager=customer.manager)
    assert seen_by(customer.manager) == {"Lindgren", "Other"}
    assert may_change_account(customer.manager, Account.objects.get(name="Other"), NOW)


def test_whoever_stands_in_for_an_absent_owner_sees_and_changes_as_long_as_they_do(
    customer: Customer,
) -> None:
    set_absence(
        user_id=customer.owner.pk,
        starts_at=NOW,
        ends_at=NOW + timedelta(days=7),
        deputy_id=customer.outsider.pk,
        reason="holiday",
        actor=None,
        now=NOW,
    )
    assert seen_by(customer.outsider) == {"Lindgren", "Other"}
    assert may_change_account(customer.outsider, customer.account, NOW)
    after = NOW + timedelta(days=7)
    assert not accounts_visible_to(customer.outsider, after).filter(name="Lindgren").exists()
    assert not may_change_account(customer.outsider, customer.account, after)


@pytest.mark.parametrize(
    ("who", "may"),
    [
        ("owner", True),
        ("deputy", True),
        ("manager", True),
        ("administrator", True),
        ("executive", False),
        ("outsider", False),
    ],
)
def test_who_may_change_an_account(customer: Customer, who: str, may: bool) -> None:
    assert may_change_account(getattr(customer, who), customer.account, NOW) is may


def test_whoever_was_deactivated_sees_and_changes_nothing(customer: Customer) -> None:
    gone = set_active(user_id=customer.owner.pk, is_active=False, now=NOW)
    assert seen_by(gone) == set()
    assert not may_change_account(gone, customer.account, NOW)


def test_an_inactive_account_is_not_seen(customer: Customer) -> None:
    change_account(account_id=customer.account.pk, is_active=False, user=customer.administrator, now=NOW)
    assert seen_by(customer.administrator) == {"Other"}


def test_no_permission_no_mail(customer: Customer) -> None:
    assert not is_site_permitted(customer.kyiv, NOW)
    assert permitted_site_ids(NOW) == frozenset()


def permit(customer: Customer, **options: Any) -> int:
    given: dict[str, Any] = {
        "given_on": NOW.date(),
        "given_by": "Director",
        "evidence": "clause 7",
        **options,
    }
    return grant_permission(account_id=customer.account.pk, user=customer.owner, now=NOW, **given).pk


def test_a_permission_covers_all_sites_or_the_chosen_ones(customer: Customer) -> None:
    permission = permit(customer, site_ids=[customer.kyiv.pk])
    assert permitted_site_ids(NOW) == {customer.kyiv.pk}
    assert permission_facts(customer.account)[0].site_ids == frozenset({customer.kyiv.pk})
    withdraw_permission(permission_id=permission, reason="they asked us to", user=customer.owner, now=NOW)
    assert permitted_site_ids(NOW) == frozenset()
    permit(customer)
    assert permitted_site_ids(NOW) == {customer.kyiv.pk, customer.lyon.pk}


def test_a_permission_begins_and_ends_by_the_sites_own_date(customer: Customer) -> None:
    permit(customer, given_on=date(2026, 3, 6), valid_until=date(2026, 3, 7))
    last_minute = datetime(2026, 3, 7, 22, 30, tzinfo=UTC)  # already the 8th in Kyiv, still the 7th in Lyon
    assert not is_site_permitted(customer.kyiv, last_minute)
    assert is_site_permitted(customer.lyon, last_minute)


def test_the_calendar_of_a_site_knows_its_holidays(customer: Customer) -> None:
    bastille_day = datetime(2026, 7, 14, 9, 0, tzinfo=UTC)
    assert not calendar_of_site(customer.lyon).is_open(bastille_day)
    assert calendar_of_site(customer.kyiv).is_open(bastille_day)


def test_counts_do_not_multiply(customer: Customer) -> None:
    for name in ("Anna", "Bo", "Cy"):
        customer.worker(name)
    customer.worker("Di", customer.lyon)
    worker_left(worker_id=customer.worker("Ed").pk, now=NOW)
    mark_bounced(worker_id=customer.worker("Flo").pk, reason="gone", now=NOW)
    account: Any = accounts_with_counts(customer.owner, NOW).get()
    assert (account.site_count, account.worker_count, account.unreachable_count) == (2, 5, 1)
    sites: Any = sites_of(customer.account)
    assert [(site.name, site.worker_count) for site in sites] == [
        ("Kyiv", 4),
        ("Lyon", 1),
    ]


def test_workers_are_found_by_name_address_number_and_telephone_among_the_visible(customer: Customer) -> None:
    anna = customer.worker("Anna Kowal", email="ak@example.com", telephone="0441234567", external_ref="A1")
    customer.worker("Anna Other", customer.other_site, email="ao@example.com")
    for text in ("anna", "kow ann", "AK@example", "a1", "044/1234567"):
        assert search_workers(customer.owner, text, NOW) == [anna], text
    assert search_workers(customer.owner, " ", NOW) == []


def test_workers_who_left_are_listed_only_when_asked_for(customer: Customer) -> None:
    worker_left(worker_id=customer.worker("Anna").pk, now=NOW)
    assert not workers_of(customer.account)
    assert workers_of(customer.account, include_left=True, search="ann").count() == 1
