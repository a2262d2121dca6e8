"""Open problems in great numbers, made by the database after the pattern of one that the product opened.

Each has an account, a site, a worker and an owner of its own, as in :mod:`bench.mail.provider`: nothing is
merged with anything, and everybody works round the clock.
"""

from __future__ import annotations

from datetime import UTC, datetime

import psycopg
from psycopg.sql import SQL, Identifier, Literal

from bench.mail.provider import build_provider
from sentinel.accounts.models import Site, Worker
from sentinel.checkins.rules import Severity
from sentinel.problems.models import Problem
from sentinel.workflows.open_problem import open_problem

Connection = psycopg.Connection[tuple[object, ...]]

#: Made rows have numbers from here on.
FIRST = 10_000_000
_RUNGS = 8
_FAR_AWAY = "now() + interval '100 days' + n * interval '1 second'"
_OLD = "now() - interval '1 day'"


def pattern() -> Problem:
    """One problem that the product opened, with a provider to a fresh database."""
    build_provider(datetime.now(UTC))
    return pattern_of_provider()


def pattern_of_provider() -> Problem:
    """One problem that the product opened."""
    now = datetime.now(UTC)
    worker = Worker.objects.create(
        site=Site.objects.earliest("pk"), name="Olena", email="olena@d0.example", joined_at=now
    )
    return open_problem(worker=worker, response=None, words="It stopped", severity=Severity.STOPPED, now=now)


def add_customers(connection: Connection, like: Problem, many: int) -> None:
    """So many owners with an account, a site and a worker each; numbers from 1."""
    _copy(connection, "people_user", like.owner_id, many, email="'owner-' || n || '@provider.example'")
    _copy(connection, "accounts_account", like.account_id, many, owner_id=_number(), name="'Firm ' || n")
    _copy(connection, "accounts_site", like.site_id, many, account_id=_number())
    mail = "'own' || n || '@d' || n % 200 || '.example'"
    _copy(connection, "accounts_worker", like.worker_id, many, site_id=_number(), email=mail)


def add_problems(
    connection: Connection,
    like: Problem,
    first: int,
    many: int,
    *,
    people: int = 0,
    with_policies: bool = True,
) -> None:
    """Open problems whose duties wait for months, of a customer each; or of so many ``people`` in turn.

    Without policies they cannot fire; so many rows are enough for who only looks.
    """
    own = _whose(people)
    with connection.transaction():
        connection.execute("SET LOCAL session_replication_role = replica")  # the triggers see each row alone
        _copy(connection, "problems_problem", like.pk, many, first=first, **own)
        if with_policies:
            rung = f"(n + {FIRST}) * {_RUNGS} + position"
            _copy(connection, "escalation_frozenpolicy", like.pk, many, first=first, key="problem_id")
            _copy(
                connection,
                "escalation_frozenrung",
                like.pk,
                many,
                first=first,
                key="policy_id",
                id=rung,
            )
        when = dict.fromkeys(("fire_at", "rung_at", "due_at"), _FAR_AWAY) | {
            "accountable_id": own["owner_id"]
        }
        _copy(connection, "escalation_duty", like.pk, many, first=first, key="problem_id", **when)


def add_closed(connection: Connection, like: Problem, first: int, many: int, *, people: int) -> None:
    """Confirmed problems of so many people in turn, with a sent mail and a notice each."""
    own = _whose(people)
    with connection.transaction():
        connection.execute("SET LOCAL session_replication_role = replica")
        closed = {"state": "'confirmed'", "closed_at": _OLD, "opened_at": _OLD}
        closed["closing_confirmation_id"] = _number()  # points nowhere: nobody follows it here
        _copy(connection, "problems_problem", like.pk, many, first=first, **own, **closed)
        for number, channel in enumerate(("email", "console")):
            row = connection.execute(
                "SELECT id FROM outbox_message WHERE kind = 'duty.notice' AND channel = %s LIMIT 1", [channel]
            ).fetchone()
            assert row is not None
            _copy(
                connection,
                "outbox_message",
                int(str(row[0])),
                many,
                first=first,
                id=f"(n + {FIRST}) * 2 + {number}",
                dedupe_key=f"'old:' || n || ':{channel}'",
                message_id=f"'old-' || n || '-{channel}.sentinel'",
                recipient_id=own["owner_id"],
                problem_id=_number(),
                account_id=own["account_id"],
                state="'accepted'",
                attempts="1",
                settled_at=_OLD,
                visible_at=_OLD,
                held="false",
            )


def settle_down(connection: Connection) -> None:
    """Let the planner know what is there, and the disk have it, before anything is measured."""
    connection.execute("VACUUM ANALYZE")
    connection.execute("CHECKPOINT")


def _number(people: int = 0) -> str:
    return f"n % {people} + {FIRST + 1}" if people else f"n + {FIRST}"


def _whose(people: int) -> dict[str, str]:
    return dict.fromkeys(("account_id", "site_id", "worker_id", "owner_id"), _number(people))


def _copy(
    connection: Connection, table: str, like: int, many: int, *, first: int = 1, key: str = "id", **own: str
) -> None:
    """Copies of one row, numbered; ``own``: SQL of ``n`` per column. Without a word about it the key is n."""
    found = connection.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND is_generated = 'NEVER'",
        [table],
    ).fetchall()
    columns = [str(row[0]) for row in found]
    own = {key: _number(), **own}
    connection.execute(
        SQL("INSERT INTO {} ({}) SELECT {} FROM {} one, generate_series({}, {}) n WHERE one.{} = {}").format(
            Identifier(table),
            SQL(", ").join(map(Identifier, columns)),
            SQL(", ").join(SQL(own[name]) if name in own else Identifier(name) for name in columns),
            Identifier(table),
            Literal(first),
            Literal(first + many - 1),
            Identifier(key),
            Literal(like),
        )
    )
