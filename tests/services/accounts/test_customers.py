"""Accounts, sites, permissions, single workers, and what workers choose."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from sentinel.accounts.errors import AccountRefused, PermissionRefused, WorkerRefused
from sentinel.accounts.models import Permission
from sentinel.accounts.services import (
    add_site,
    add_worker,
    change_account,
    change_site,
    change_worker,
    create_account,
    grant_permission,
    hand_account_to,
    mark_bounced,
    move_worker,
    repair_address,
    resubscribe_worker,
    set_preferences,
    unsubscribe_worker,
    withdraw_permission,
    worker_left,
    worker_returned,
)
from sentinel.kernel.errors import NotAllowed, NotFound
from sentinel.people.services import set_active
from sentinel.timeline.models import Event
from tests.services.accounts.conftest import NOW, Customer


def last_event() -> Event:
    return Event.objects.latest("id")


def test_two_accounts_cannot_have_one_name(customer: Customer) -> None:
    with pytest.raises(AccountRefused, match="already an account"):
        create_account(name="LINDGREN", owner=customer.owner, now=NOW)


def test_owner_and_deputy_are_two_people(customer: Customer) -> None:
    with pytest.raises(AccountRefused, match="somebody else than the owner"):
        change_account(account_id=customer.account.pk, deputy=customer.owner, now=NOW)


def test_a_change_is_recorded_with_before_and_after_and_no_change_is_not(customer: Customer) -> None:
    change_account(account_id=customer.account.pk, tier="key", user=customer.owner, now=NOW)
    assert last_event().data == {"tier": ["standard", "key"]}
    before = Event.objects.count()
    change_account(account_id=customer.account.pk, tier="key", user=customer.owner, now=NOW)
    assert Event.objects.count() == before


def test_the_owner_changes_by_handing_over(customer: Customer) -> None:
    account = hand_account_to(
        account_id=customer.account.pk,
        owner_id=customer.deputy.pk,
        user=customer.manager,
        note="leave",
        now=NOW,
    )
    assert (account.owner, account.deputy) == (customer.deputy, None)
    assert last_event().verb == "account.handed_over"
    set_active(user_id=customer.outsider.pk, is_active=False, now=NOW)
    with pytest.raises(AccountRefused, match="active user"):
        hand_account_to(account_id=customer.account.pk, owner_id=customer.outsider.pk, now=NOW)


@pytest.mark.parametrize("zone", ["Mars/Olympus", ""])
def test_a_site_needs_a_real_time_zone(customer: Customer, zone: str) -> None:
    with pytest.raises(AccountRefused, match="zone"):
        add_site(
            account_id=customer.account.pk, name="X", zone=zone, calendar=customer.kyiv.calendar, now=NOW
        )


def test_a_site_changes_and_keeps_its_name_for_itself(customer: Customer) -> None:
    site = change_site(
        site_id=customer.kyiv.pk,
        account_id=customer.account.pk,
        address="Khreshchatyk 1",
        user=customer.owner,
        now=NOW,
    )
    assert site.address == "Khreshchatyk 1"
    with pytest.raises(AccountRefused, match="already has a site"):
        change_site(site_id=customer.kyiv.pk, account_id=customer.account.pk, name="lyon", now=NOW)
    with pytest.raises(NotFound):
        change_site(site_id=customer.other_site.pk, account_id=customer.account.pk, name="Mine", now=NOW)


@pytest.mark.parametrize(
    "wrong",
    [
        {"given_by": " "},
        {"evidence": ""},
        {"given_on": NOW.date() + timedelta(days=2)},
        {"valid_until": date(2020, 1, 1)},
    ],
)
def test_a_permission_says_who_gave_it_where_it_can_be_read_and_when(
    customer: Customer, wrong: dict[str, Any]
) -> None:
    right = {"given_by": "Director", "evidence": "clause 7", "given_on": NOW.date(), **wrong}
    with pytest.raises(PermissionRefused):
        grant_permission(account_id=customer.account.pk, user=customer.owner, now=NOW, **right)
    assert not Permission.objects.exists()


def test_a_permission_cannot_name_the_site_of_another_account(customer: Customer) -> None:
    with pytest.raises(NotFound):
        grant_permission(
            account_id=customer.account.pk,
            given_by="Director",
            evidence="clause 7",
            given_on=NOW.date(),
            site_ids=[customer.other_site.pk],
            user=customer.owner,
            now=NOW,
        )


def test_withdrawing_twice_is_once(customer: Customer) -> None:
    permission = grant_permission(
        account_id=customer.account.pk,
        given_by="Director",
        evidence="clause 7",
        given_on=NOW.date(),
        user=customer.owner,
        now=NOW,
    )
    withdraw_permission(permission_id=permission.pk, reason="asked", user=customer.owner, now=NOW)
    before = Event.objects.count()
    later = NOW + timedelta(days=1)
    again = withdraw_permission(permission_id=permission.pk, reason="again", user=customer.owner, now=later)
    assert (again.withdrawn_at, again.withdrawn_reason) == (NOW, "asked")
    assert Event.objects.count() == before


def test_an_outsider_may_do_none_of_it(customer: Customer) -> None:
    worker, someone = customer.worker(), customer.outsider
    acts: list[Callable[[], object]] = [
        lambda: change_account(account_id=customer.account.pk, tier="key", user=someone, now=NOW),
        lambda: hand_account_to(account_id=customer.account.pk, owner_id=someone.pk, user=someone, now=NOW),
        lambda: change_worker(worker_id=worker.pk, name="X", user=someone, now=NOW),
        lambda: move_worker(worker_id=worker.pk, site_id=customer.lyon.pk, user=someone, now=NOW),
        lambda: worker_left(worker_id=worker.pk, user=someone, now=NOW),
        lambda: repair_address(worker_id=worker.pk, email="x@example.com", user=someone, now=NOW),
    ]
    before = Event.objects.count()
    for act in acts:
        with pytest.raises(NotAllowed):
            act()
    assert Event.objects.count() == before


def test_a_worker_is_added_with_a_number_that_can_be_dialled(customer: Customer) -> None:
    worker = customer.worker(
        " Anna  Kowal ", email="Anna@EXAMPLE.com", telephone="044 123 45 67", language="Deutsch"
    )
    assert (worker.name, worker.email, worker.telephone) == (
        "Anna Kowal",
        "Anna@example.com",
        "+380441234567",
    )
    assert worker.language == "de"


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"email": "nonsense"}, "is not an e-mail address"),
        ({"name": " "}, "The name is empty."),
        ({"telephone": "call me"}, "is not a telephone number"),
        ({"email": "BO@example.com"}, "already belongs to a worker"),
    ],
)
def test_a_worker_nobody_could_reach_is_refused(
    customer: Customer, columns: dict[str, str], words: str
) -> None:
    customer.worker("Bo")
    given = {"name": "Anna", "email": "anna@example.com", **columns}
    with pytest.raises(WorkerRefused, match=words):
        add_worker(site_id=customer.kyiv.pk, account_id=customer.account.pk, now=NOW, **given)  # type: ignore[arg-type]


def test_a_worker_moves_only_within_the_account(customer: Customer) -> None:
    worker = customer.worker()
    assert move_worker(worker_id=worker.pk, site_id=customer.lyon.pk, now=NOW).site == customer.lyon
    with pytest.raises(NotFound):
        move_worker(worker_id=worker.pk, site_id=customer.other_site.pk, now=NOW)


def test_a_worker_leaves_once_and_may_return(customer: Customer) -> None:
    worker = customer.worker()
    worker_left(worker_id=worker.pk, now=NOW)
    before = Event.objects.count()
    assert worker_left(worker_id=worker.pk, now=NOW + timedelta(days=1)).left_at == NOW
    assert Event.objects.count() == before
    assert worker_returned(worker_id=worker.pk, now=NOW).left_at is None


def test_a_bounce_is_kept_until_the_address_is_repaired(customer: Customer) -> None:
    worker = customer.worker()
    mark_bounced(worker_id=worker.pk, reason="550 no such user", now=NOW)
    repaired = repair_address(worker_id=worker.pk, email="anna.k@example.com", user=customer.owner, now=NOW)
    assert (repaired.email, repaired.mail_state) == ("anna.k@example.com", "good")
    assert last_event().verb == "worker.repaired"


def test_a_complaint_is_not_taken_back_by_a_bounce(customer: Customer) -> None:
    worker = customer.worker()
    mark_bounced(worker_id=worker.pk, reason="spam", complained=True, now=NOW)
    assert mark_bounced(worker_id=worker.pk, reason="550", now=NOW).mail_state == "complained"


def choose(worker_id: int, **choices: Any) -> Any:
    given = {"rhythm": "programme", "paused_until": None, "language": "", "telephone": "", **choices}
    return set_preferences(worker_id=worker_id, now=NOW, **given)


def test_what_differs_from_ours_becomes_the_workers_own_choice(customer: Customer) -> None:
    worker = customer.worker(telephone="+380441234567")
    same = choose(worker.pk, language="en", telephone="+380441234567", rhythm="monthly")
    assert (same.chosen_fields, same.rhythm, same.language) == ([], "monthly", "")
    own = choose(worker.pk, language="fr", telephone="+33 1 23 45 67 89")
    assert (own.chosen_fields, own.telephone) == (["language", "telephone"], "+33123456789")
    assert last_event().actor_kind == "worker"


def test_choosing_what_is_already_so_records_nothing(customer: Customer) -> None:
    worker = customer.worker()
    before = Event.objects.count()
    choose(worker.pk, paused_until=NOW.date())
    assert Event.objects.count() == before


def test_a_number_nobody_can_dial_and_a_language_we_do_not_speak_are_refused(customer: Customer) -> None:
    worker = customer.worker()
    with pytest.raises(WorkerRefused, match="country code"):
        choose(worker.pk, telephone="ring twice")
    with pytest.raises(WorkerRefused, match="language"):
        choose(worker.pk, language="tlh")


def test_unsubscribing_twice_is_once_and_can_be_taken_back(customer: Customer) -> None:
    worker = customer.worker()
    unsubscribe_worker(worker_id=worker.pk, how="one-click", now=NOW)
    before = Event.objects.count()
    assert (
        unsubscribe_worker(worker_id=worker.pk, how="link", now=NOW + timedelta(days=1)).unsubscribed_at
        == NOW
    )
    assert Event.objects.count() == before
    assert resubscribe_worker(worker_id=worker.pk, now=NOW).unsubscribed_at is None
