"""What `sentinel doctor` looks at: each check returns a verdict and one line in plain words."""

import enum
import smtplib
import socket
import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import Error, connection

from sentinel.engine.selectors import finished_cycles, last_cycle_finished_at
from sentinel.ops.database import embedded_cluster, unapplied_migrations
from sentinel.people.models import User
from sentinel.people.rules import Role

OLDEST_POSTGRES = 15
SECONDS_FOR_THE_MAIL_SERVER = 10
# A cycle is written down once a second.
SECONDS_FOR_A_CYCLE = 5
# Leases and due times compare clocks of different machines; this much apart is still harmless.
TOLERATED_SKEW = timedelta(seconds=2)


class Verdict(enum.Enum):
    """How a check came out."""

    GOOD = "good"
    DOUBTFUL = "doubtful"
    BAD = "bad"


Outcome = tuple[Verdict, str]


def check_settings() -> Outcome:
    """The variables were read, or we would not be here; say what they amount to."""
    mode = "demonstration" if settings.DEMONSTRATION else "production"
    text = f"{mode}, reached at {settings.BASE_URL}, data in {settings.DATA_DIR}"
    if not settings.DEMONSTRATION and not settings.BASE_URL.startswith("https://"):
        return (
            Verdict.DOUBTFUL,
            f"{text}; links in mail will not be encrypted: set SENTINEL_BASE_URL to https",
        )
    return Verdict.GOOD, text


def check_database() -> Outcome:
    """PostgreSQL answers and is new enough."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SHOW server_version_num")
            version = int(cursor.fetchone()[0]) // 10_000
    except Error as error:
        return Verdict.BAD, f"PostgreSQL does not answer: {_first_line(error)}"
    where = "embedded" if embedded_cluster() else "SENTINEL_DATABASE_URL"
    if version < OLDEST_POSTGRES:
        return Verdict.BAD, f"PostgreSQL {version} is too old; {OLDEST_POSTGRES} or newer is needed"
    return Verdict.GOOD, f"PostgreSQL {version} ({where})"


def check_migrations() -> Outcome:
    """The tables are those of this release."""
    missing = unapplied_migrations()
    if missing:
        return (
            Verdict.BAD,
            f"{len(missing)} migrations are not applied, {missing[0]} first: run `sentinel migrate`",
        )
    return Verdict.GOOD, "the tables are those of this release"


def check_people() -> Outcome:
    """Somebody can sign in and administer."""
    if unapplied_migrations():
        return Verdict.DOUBTFUL, "not looked at before the migrations are applied"
    if User.objects.filter(is_active=True, roles__contains=[Role.ADMINISTRATOR.value]).exists():
        return Verdict.GOOD, "there is an administrator"
    return Verdict.DOUBTFUL, "nobody can administer Sentinel yet: `sentinel user add --role administrator`"


def check_mail() -> Outcome:
    """The mail server answers a greeting; nothing is sent."""
    address = f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
    try:
        with _mail_connection() as server:
            server.ehlo_or_helo_if_needed()
            if settings.EMAIL_USE_TLS:
                server.starttls(context=ssl.create_default_context())
            if settings.EMAIL_HOST_USER:
                server.login(settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD)
    except smtplib.SMTPAuthenticationError:
        return Verdict.BAD, f"{address} refuses the user name or password in SENTINEL_EMAIL_URL"
    except (OSError, smtplib.SMTPException) as error:
        if settings.CATCHES_MAIL:
            return Verdict.DOUBTFUL, f"the mail room ({address}) does not listen; `sentinel up` starts it"
        return Verdict.BAD, f"{address} does not take mail: {_first_line(error)}"
    return Verdict.GOOD, f"{address} takes mail"


def _mail_connection() -> smtplib.SMTP:
    if settings.EMAIL_USE_SSL:
        return smtplib.SMTP_SSL(
            settings.EMAIL_HOST,
            settings.EMAIL_PORT,
            timeout=SECONDS_FOR_THE_MAIL_SERVER,
            context=ssl.create_default_context(),
        )
    return smtplib.SMTP(settings.EMAIL_HOST, settings.EMAIL_PORT, timeout=SECONDS_FOR_THE_MAIL_SERVER)


def check_clock() -> Outcome:
    """This machine and the database agree on the time."""
    with connection.cursor() as cursor:
        before = datetime.now(UTC)
        cursor.execute("SELECT clock_timestamp()")
        there = cursor.fetchone()[0]
        after = datetime.now(UTC)
    skew = max(before - there, there - after, timedelta())
    if skew > TOLERATED_SKEW:
        return (
            Verdict.BAD,
            f"this machine and the database are {skew.total_seconds():.0f} s apart; use NTP on both",
        )
    return Verdict.GOOD, "this machine and the database agree"


def check_engine() -> Outcome:
    """Some engine finishes new cycles; one that merely exists may hang."""
    if unapplied_migrations():
        return Verdict.DOUBTFUL, "not looked at before the migrations are applied"
    before = finished_cycles()
    deadline = time.monotonic() + SECONDS_FOR_A_CYCLE
    while time.monotonic() < deadline:
        grown = [engine for engine, cycles in finished_cycles().items() if cycles > before.get(engine, 0)]
        if grown:
            return Verdict.GOOD, "an engine finishes its cycles"
        time.sleep(0.25)
    last = last_cycle_finished_at()
    when = f"the last cycle finished {last:%Y-%m-%d %H:%M} UTC" if last else "none ever ran"
    return Verdict.BAD, f"no engine is working ({when}): start `sentinel engine` or `sentinel up`"


CHECKS: dict[str, Callable[[], Outcome]] = {
    "settings": check_settings,
    "database": check_database,
    "tables": check_migrations,
    "people": check_people,
    "mail": check_mail,
    "engine": check_engine,
    "clock": check_clock,
}


def _first_line(error: Exception) -> str:
    if isinstance(error, socket.gaierror):
        return "no such host"
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
