"""An invented provider large enough for the measurement: its customers, sites and workers.

Every account has an owner of its own, so that no notice is merged with another, and everybody works round
the clock, so that nothing waits for the morning. Workers are made by the database itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import psycopg

from sentinel.accounts.models import Account, Permission, Site
from sentinel.checkins.messages import QUESTIONS
from sentinel.checkins.models import Programme
from sentinel.escalation.services import ensure_default_ladder
from sentinel.people.models import User, WorkCalendar
from sentinel.people.rules import Role

ACCOUNTS = 40
DOMAINS = 200
LANGUAGES = ("en", "de", "ja")
EVERY_DAY = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_WORKERS = """
INSERT INTO accounts_worker (site_id, name, email, telephone, language, external_ref, department, status,
    joined_at, rhythm, mail_state, mail_state_reason, chosen_fields)
SELECT (%(sites)s)[1 + n %% %(count)s], 'Jürgen Müller-' || n,
    'w' || n || '@d' || n %% %(domains)s || '.example', '', '', '', '', 'active', %(joined)s,
    'programme', 'good', '', '{}'
FROM generate_series(1, %(workers)s) n
"""
_CHECK_INS = """
INSERT INTO checkins_checkin
    (programme_id, worker_id, planned_for, state, reason, language, sent_at, created_at)
SELECT %(programme)s, worker.id, %(at)s, %(state)s, 'monthly', site.language, %(sent_at)s, %(at)s
FROM accounts_worker worker JOIN accounts_site site ON site.id = worker.site_id
WHERE worker.id > %(after)s AND worker.id <= %(until)s
ORDER BY worker.id
"""


@dataclass(frozen=True)
class Provider:
    """What the measurements need to know of it."""

    programme_id: int
    sites: list[int]
    owners: list[str]


def build_provider(now: datetime) -> Provider:
    """A programme that may ask now, 40 accounts in three languages, everybody at work."""
    calendar = WorkCalendar.objects.create(
        name="Always", week={day: [["00:00", "24:00"]] for day in EVERY_DAY}
    )
    programme = Programme.objects.create(
        name="Check-in",
        provider_name="Meridian Office Machines",
        questions=dict(QUESTIONS),
        sender_address="care@provider.example",
        window_days=list(range(7)),
        window_start="00:00",
        window_end="23:59",
        started_at=now - timedelta(days=365),
    )
    ensure_default_ladder()
    owners, sites = [], []
    for number in range(ACCOUNTS):
        owner = User.objects.create_user(
            email=f"owner{number}@provider.example",
            name=f"Maria Schulz-{number}",
            roles=[Role.OWNER.value],
            telephone="+4930555010",
            calendar=calendar,
        )
        owners.append(owner.email)
        sites.append(_customer(number, owner, calendar, now))
    return Provider(programme.pk, sites, owners)


def _customer(number: int, owner: User, calendar: WorkCalendar, now: datetime) -> int:
    account = Account.objects.create(
        name=f"Customer {number}", owner=owner, created_at=now - timedelta(days=300)
    )
    Permission.objects.create(
        account=account,
        given_by="Lena Brandt, head of facilities",
        given_on=(now - timedelta(days=300)).date(),
        evidence="Service contract, clause 9",
        recorded_by=owner,
        recorded_at=now,
    )
    return Site.objects.create(
        account=account,
        name=f"Site {number}",
        zone="Europe/Berlin",
        calendar=calendar,
        language=LANGUAGES[number % len(LANGUAGES)],
    ).pk


def add_workers(connection: psycopg.Connection, provider: Provider, workers: int) -> None:
    """Workers of all sites in turn, at 200 domains."""
    connection.execute(
        _WORKERS,
        {
            "sites": provider.sites,
            "count": len(provider.sites),
            "domains": DOMAINS,
            "joined": datetime.now(UTC) - timedelta(days=200),
            "workers": workers,
        },
    )
    connection.execute("ANALYZE accounts_worker")


def plan_next(connection: psycopg.Connection, programme_id: int) -> None:
    """Everybody's next check-in, so that the engine has nothing to plan while something else is measured."""
    at = datetime.now(UTC)
    connection.execute(
        _CHECK_INS,
        {
            "programme": programme_id,
            "at": at + timedelta(days=28),
            "state": "planned",
            "sent_at": None,
            "after": 0,
            "until": 2**31,
        },
    )
    connection.execute("ANALYZE checkins_checkin")


def add_check_ins(
    connection: psycopg.Connection,
    provider: Provider,
    *,
    are_sent: bool,
    after: int = 0,
    until: int = 2**31,
) -> None:
    """A check-in for every worker with a number in that range: sent a moment ago, or due now."""
    at = datetime.now(UTC) - timedelta(minutes=1)
    connection.execute(
        _CHECK_INS,
        {
            "programme": provider.programme_id,
            "at": at,
            "state": "sent" if are_sent else "planned",
            "sent_at": at if are_sent else None,
            "after": after,
            "until": until,
        },
    )
    connection.execute("ANALYZE checkins_checkin")
