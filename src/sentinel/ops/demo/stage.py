"""Enters the cast through the services, as an administrator would."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.contrib.auth.hashers import make_password

from sentinel.accounts.models import Account, Worker
from sentinel.accounts.rules import Tier
from sentinel.accounts.services import (
    add_site,
    apply_roster,
    create_account,
    grant_permission,
    preview_roster,
)
from sentinel.checkins.services import create_programme
from sentinel.demonstration.cast import PASSWORD
from sentinel.escalation.models import Ladder, Rung
from sentinel.escalation.rules import DEFAULT_POLICY
from sentinel.escalation.services import ensure_default_ladder
from sentinel.ops.demo.cast import CALENDARS, COLLEAGUES, PROVIDER, ROTA, SENDER, Customer, Place
from sentinel.ops.demo.rosters import ROSTERS
from sentinel.people.models import User, WorkCalendar
from sentinel.people.services import assign_officer, create_user

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")
#: Key accounts: the same rungs in half the time, the top after half a day.
KEY_ACCOUNT_PACE = 0.5


@dataclass
class Stage:
    """Everybody and everything that was entered. ``users`` by the address before the "@"."""

    users: dict[str, User] = field(default_factory=dict)
    calendars: dict[str, WorkCalendar] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)

    def worker(self, mailbox: str) -> Worker | None:
        """The worker with this address before the "@"; None in a smaller cast without them."""
        rows = Worker.objects.select_related("site__account__owner", "site__calendar")
        return rows.filter(email__startswith=f"{mailbox}@").first()


def enter_provider(*, now: datetime, rota_until: date) -> Stage:
    """Calendars, users, the rota, the ladders and the programme."""
    stage = Stage()
    for hours in CALENDARS:
        stage.calendars[hours.key] = WorkCalendar.objects.create(
            name=hours.name,
            country=hours.country,
            subdivision=hours.subdivision,
            week={day: [list(span) for span in hours.spans] for day in WEEKDAYS},
        )
    for colleague in COLLEAGUES:
        stage.users[colleague.email] = create_user(
            email=colleague.address,
            name=colleague.name,
            roles=colleague.roles,
            now=now,
            zone=colleague.zone,
            calendar=stage.calendars[colleague.calendar],
            telephone=colleague.telephone,
            manager=stage.users.get(colleague.manager),
        )
    # One slow hash for all of them: a demonstration's password protects nothing.
    User.objects.filter(pk__in=[user.pk for user in stage.users.values()]).update(
        password=make_password(PASSWORD)
    )
    _enter_rota(stage, now=now, until=rota_until)
    ensure_default_ladder()
    _enter_key_ladder()
    create_programme(name="Check-in", provider_name=PROVIDER, sender_address=SENDER, now=now)
    return stage


def _enter_rota(stage: Stage, *, now: datetime, until: date) -> None:
    day = now.date() - timedelta(days=1)
    while day <= until:
        officer = stage.users[ROTA[day.weekday()]]
        assign_officer(on=day, officer_id=officer.pk, now=now, actor=stage.users["henrike.vogt"])
        day += timedelta(days=1)


def _enter_key_ladder() -> None:
    policy = DEFAULT_POLICY
    ladder = Ladder.objects.create(
        name="Key accounts",
        tier=Tier.KEY.value,
        # The first rung fires when the acknowledgement is late, so both say the same.
        acknowledge_within=policy.acknowledge_within * KEY_ACCOUNT_PACE,
        call_within=timedelta(minutes=45),
        call_again_after=timedelta(minutes=20),
        promise_within_days=policy.promise_within_days,
        solve_within_days=3,
        stopped_solve_within_days=policy.stopped_solve_within_days,
        ask_again_after_days=list(policy.ask_again_after_days),
        ask_by_call_after_days=policy.ask_by_call_after_days,
        ask_on_after_days=policy.ask_on_after_days,
    )
    Rung.objects.bulk_create(
        Rung(
            ladder=ladder,
            position=rung.position,
            after=rung.after * KEY_ACCOUNT_PACE,
            audience=[audience.value for audience in rung.audience],
            takes_over=rung.takes_over,
            breaks_quiet_hours=rung.breaks_quiet_hours,
        )
        for rung in policy.rungs
    )


def enter_customer(stage: Stage, customer: Customer, *, workers_per_place: int, now: datetime) -> Account:
    """The account, its places, the permission, and its workers from a roster file."""
    manager = stage.users["henrike.vogt"]
    account = create_account(
        name=customer.name,
        external_ref=customer.external_ref,
        owner=stage.users[customer.owner],
        deputy=stage.users[customer.deputy],
        manager=manager,
        focus_executive=stage.users[customer.executive],
        tier=customer.tier,
        user=manager,
        now=now,
    )
    for place in customer.places:
        add_site(
            account_id=account.pk,
            name=place.name,
            zone=place.zone,
            calendar=stage.calendars[place.calendar],
            language=place.language,
            address=place.address,
            user=manager,
            now=now,
        )
    grant_permission(
        account_id=account.pk,
        given_by=customer.given_by,
        given_on=now.date(),
        evidence=customer.evidence,
        user=manager,
        now=now,
    )
    content = "\n".join(roster_file(customer, place, workers_per_place) for place in customer.places)
    preview = preview_roster(
        account_id=account.pk,
        file_name=f"{customer.domain.split('.')[0]}.csv",
        content=("name,email,site,department,telephone,language\n" + content).encode(),
        is_complete_list=True,
        user=account.owner,
        now=now,
    )
    apply_roster(import_id=preview.pk, user=account.owner, now=now)
    stage.accounts[customer.name] = account
    return account


def roster_file(customer: Customer, place: Place, workers_per_place: int) -> str:
    """The lines of one place, as the customer's office would send them."""
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    for number, person in enumerate(ROSTERS[place.name][:workers_per_place], start=1):
        writer.writerow(
            (
                person.name,
                f"{person.mailbox}@{customer.domain}",
                place.name,
                person.department,
                f"{place.telephone}{number:02}",
                person.language,
            )
        )
    return lines.getvalue().strip()
