"""`sentinel sender`: hands check-ins to the relays, in great numbers."""

import fcntl
import os
import sys
from typing import Any

import click
from django.conf import settings
from django.db import connections
from psycopg.conninfo import make_conninfo

from sentinel.channels.email import bulk
from sentinel.channels.email.bulk.settings import RelaySettings, Settings, Signing
from sentinel.ops.database import database_running
from sentinel.ops.modes import begin_work
from sentinel.ops.postgres import Cluster

MOST_BYTES_IN_A_PIPE = 60_000


@click.command("sender")
def command() -> None:
    """Send check-ins that are on their way, until stopped.

    One sender works at a time on a database; start a second one on another machine, and it takes over within
    a second when the first one ends. Relays and limits: SENTINEL_BULK_RELAYS.
    """
    with database_running() as cluster:
        if cluster is not None:
            _keep_using(cluster)
        begin_work()
        told = sender_settings().to_json().encode()
        if len(told) > MOST_BYTES_IN_A_PIPE:
            raise click.ClickException("SENTINEL_BULK_RELAYS or the DKIM key is too long")
        connections.close_all()
        become_sender(told)


def _keep_using(cluster: Cluster) -> None:
    """Tell other users of the embedded server that we use it too, beyond becoming another program."""
    users = os.open(cluster.home / "users.lock", os.O_RDWR)
    fcntl.flock(users, fcntl.LOCK_SH)
    os.set_inheritable(users, True)


def become_sender(told: bytes) -> None:
    """Replace this process by the sender's; secrets go through a pipe, where nobody else can read them."""
    reading, writing = os.pipe()
    os.write(writing, told)
    os.close(writing)
    os.dup2(reading, sys.stdin.fileno())
    os.close(reading)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, "-m", bulk.__name__])  # noqa: S606  # no shell is wanted


def sender_settings() -> Settings:
    """What the sender has to know of the configuration. Raises ClickException for an unreadable key."""
    environment = settings.ENVIRONMENT
    return Settings(
        conninfo=_conninfo(),
        secrets=tuple(str(key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)),
        base_url=settings.BASE_URL,
        relays=tuple(_relay(relay) for relay in environment.relays),
        reply_domain=settings.INBOUND_DOMAIN,
        demonstration=settings.DEMONSTRATION,
        dkim=_signing(),
        log_format=environment.log_format,
    )


def _conninfo() -> str:
    """The address of Django's database, for libpq."""
    wanted = settings.DATABASES["default"]
    parts = {
        "dbname": wanted["NAME"],
        "user": wanted["USER"],
        "password": wanted["PASSWORD"],
        "host": wanted["HOST"],
        "port": wanted["PORT"],
        **wanted.get("OPTIONS", {}),
        "application_name": "sentinel-sender",
    }
    return make_conninfo(**{name: value for name, value in parts.items() if value})


def _relay(relay: Any) -> RelaySettings:
    return RelaySettings(
        host=relay.server.host,
        port=relay.server.port,
        username=relay.server.username,
        password=relay.server.password,
        tls=relay.server.tls,
        connections=relay.connections,
        per_second=relay.per_second,
        per_connection=relay.per_connection,
        mode=relay.mode,
        weight=relay.weight,
    )


def _signing() -> Signing | None:
    path = settings.ENVIRONMENT.dkim_key
    if path is None:
        return None
    try:
        return Signing(key=path.read_text(), selector=settings.ENVIRONMENT.dkim_selector)
    except OSError as error:
        raise click.ClickException(f"SENTINEL_DKIM_KEY cannot be read: {error.strerror}") from error
