"""A small customer: one account with two sites, its people, and an outsider."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from sentinel.accounts.models import Account, Site, Worker
from sentinel.accounts.services import add_site, add_worker, create_account
from sentinel.people.models import User, WorkCalendar
from sentinel.people.rules import Role
from sentinel.people.services import create_user

NOW = datetime(2026, 3, 6, 9, 0, tzinfo=UTC)


def make_user(name: str, *roles: Role, **columns: Any) -> User:
    return create_user(email=f"{name.lower()}@provider.example", name=name, roles=roles, now=NOW, **columns)


@dataclass
class Customer:
    """The cast of these tests."""

    account: Account
    kyiv: Site
    lyon: Site
    owner: User
    deputy: User
    manager: User
    executive: User
    administrator: User
    outsider: User
    other_account: Account
    other_site: Site

    def worker(self, name: str = "Anna", site: Site | None = None, **columns: Any) -> Worker:
        columns.setdefault("email", f"{name.lower()}@example.com")
        site = site or self.kyiv
        return add_worker(site_id=site.pk, account_id=site.account_id, name=name, now=NOW, **columns)


@pytest.fixture
def customer(db: None) -> Customer:
    boss = make_user("Petra", Role.MANAGER)
    owner, deputy = make_user("Maria", Role.OWNER), make_user("Tom", Role.OWNER)
    executive, outsider = make_user("Henrik", Role.EXECUTIVE), make_user("Otto", Role.OWNER)
    account = create_account(
        name="Lindgren", owner=owner, deputy=deputy, manager=boss, focus_executive=executive, now=NOW
    )
    other = create_account(
        name="Other", owner=outsider, focus_executive=make_user("Eva", Role.EXECUTIVE), now=NOW
    )
    ukraine = WorkCalendar.objects.create(name="Ukraine", country="UA")
    france = WorkCalendar.objects.create(name="France", country="FR")
    return Customer(
        account=account,
        kyiv=add_site(account_id=account.pk, name="Kyiv", zone="Europe/Kyiv", calendar=ukraine, now=NOW),
        lyon=add_site(
            account_id=account.pk, name="Lyon", zone="Europe/Paris", calendar=france, language="fr", now=NOW
        ),
        owner=owner,
        deputy=deputy,
        manager=boss,
        executive=executive,
        administrator=make_user("Ada", Role.ADMINISTRATOR),
        outsider=outsider,
        other_account=other,
        other_site=add_site(account_id=other.pk, name="Oslo", zone="Europe/Oslo", calendar=france, now=NOW),
    )
