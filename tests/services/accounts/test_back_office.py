"""The back office: for administrators only, and never around the services' promises."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from sentinel.accounts.models import Account, Permission
from sentinel.accounts.services import grant_permission, preview_roster
from sentinel.people.models import User
from sentinel.people.rules import Role
from sentinel.timeline.models import Event
from tests.services.accounts.conftest import NOW, Customer, make_user

MODELS = (
    "people_user",
    "people_workcalendar",
    "people_absence",
    "people_officershift",
    "accounts_account",
    "accounts_site",
    "accounts_permission",
    "accounts_worker",
    "accounts_rosterimport",
)
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, BACKEND)
    return client


@pytest.fixture
def office(customer: Customer) -> Client:
    customer.worker("Anna")
    preview_roster(
        account_id=customer.account.pk,
        file_name="r.csv",
        content=b"Name,Email\nA,a@example.com\n",
        is_complete_list=False,
        user=None,
        now=NOW,
    )
    return signed_in(customer.administrator)


@pytest.mark.parametrize("model", MODELS)
def test_every_list_opens_for_an_administrator(office: Client, model: str) -> None:
    assert office.get(reverse(f"admin:{model}_changelist"), {"q": "a"}).status_code == 200


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMINISTRATOR])
def test_nobody_else_comes_in(customer: Customer, role: Role) -> None:
    client = signed_in(make_user("Nosy", role))
    assert client.get(reverse("admin:accounts_worker_changelist")).status_code == 302


@pytest.mark.parametrize("model", ["accounts_worker", "accounts_rosterimport"])
def test_workers_and_rosters_can_only_be_looked_at(office: Client, model: str) -> None:
    assert office.get(reverse(f"admin:{model}_add")).status_code == 403


def test_an_account_entered_here_is_in_the_timeline(office: Client, customer: Customer) -> None:
    fields = {"name": "New one", "tier": "standard", "owner": customer.owner.pk, "is_active": "on"}
    assert office.post(reverse("admin:accounts_account_add"), fields).status_code == 302
    account = Account.objects.get(name="New one")
    event = Event.objects.get(account_id=account.pk)
    assert (event.verb, event.actor_id) == ("account.created", customer.administrator.pk)
    assert event.data["owner"] == customer.owner.pk


def test_a_permission_is_recorded_and_withdrawn_but_never_edited(office: Client, customer: Customer) -> None:
    fields = {
        "account": customer.account.pk,
        "sites": [customer.kyiv.pk],
        "given_by": "Director",
        "given_on": "2026-03-06",
        "evidence": "clause 7",
    }
    assert office.post(reverse("admin:accounts_permission_add"), fields).status_code == 302
    permission = Permission.objects.get()
    assert permission.recorded_by == customer.administrator
    change = reverse("admin:accounts_permission_change", args=[permission.pk])
    assert office.post(change, {**fields, "given_by": "Somebody else"}).status_code == 403
    chosen = {"action": "withdraw", "_selected_action": [permission.pk]}
    office.post(reverse("admin:accounts_permission_changelist"), chosen)
    permission.refresh_from_db()
    assert permission.given_by == "Director"
    assert permission.withdrawn_at is not None
    assert Event.objects.latest("id").verb == "permission.withdrawn"


def test_nothing_of_a_customer_is_deleted_here(office: Client, customer: Customer) -> None:
    permission = grant_permission(
        account_id=customer.account.pk,
        given_by="Director",
        given_on=NOW.date(),
        evidence="clause 7",
        site_ids=[customer.kyiv.pk],
        user=customer.owner,
        now=NOW,
    )
    doomed = {"account": customer.account, "site": customer.kyiv, "permission": permission}
    for model, row in doomed.items():
        assert (
            office.post(reverse(f"admin:accounts_{model}_delete", args=[row.pk]), {"post": "yes"}).status_code
            == 403
        )


def test_the_role_of_administrator_opens_the_back_office_and_a_ticked_box_does_not(
    office: Client, customer: Customer
) -> None:
    url = reverse("admin:people_user_change", args=[customer.owner.pk])
    fields = {
        "email": customer.owner.email,
        "name": "Maria",
        "language": "en",
        "zone": "Europe/Berlin",
        "roles": ["owner"],
        "is_active": "on",
        "is_staff": "on",
        "contact_methods-TOTAL_FORMS": "0",
        "contact_methods-INITIAL_FORMS": "0",
    }
    assert office.post(url, fields).status_code == 302
    assert not User.objects.get(pk=customer.owner.pk).is_staff
    assert office.post(url, {**fields, "roles": ["owner", "administrator"]}).status_code == 302
    assert User.objects.get(pk=customer.owner.pk).is_staff


def test_a_user_can_be_added(office: Client) -> None:
    assert office.get(reverse("admin:people_user_add")).status_code == 200
    fields = {
        "email": "new@provider.example",
        "name": "New",
        "roles": ["analyst"],
        "zone": "UTC",
        "usable_password": "false",
        "contact_methods-TOTAL_FORMS": "0",
        "contact_methods-INITIAL_FORMS": "0",
    }
    response = office.post(reverse("admin:people_user_add"), fields)
    assert response.status_code == 302
    user = User.objects.get(email="new@provider.example")
    assert (user.roles, user.has_usable_password()) == (["analyst"], False)
