"""A fresh database for each part, and the environment in which the product's own programs find it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.db import connections
from psycopg.sql import SQL, Identifier

from bench.mail.servers import CHECKOUT, Place

SECRET = "only-for-the-bench-" + "x" * 32
BASE_URL = "https://sentinel.example.com"
INBOUND_DOMAIN = "in.sentinel.example"
MIGRATED = "bench_empty"


def environment(place: Place, smtp_port: int = 25, **more: str) -> dict[str, str]:
    """The variables of a Sentinel on the bench's database, whatever the shell says about another one."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SENTINEL_")}
    return {
        **inherited,
        "DJANGO_SETTINGS_MODULE": "sentinel.config.settings",
        "SENTINEL_DATABASE_URL": place.cluster.url(),
        "SENTINEL_EMAIL_URL": f"smtp://127.0.0.1:{smtp_port}",
        "SENTINEL_BASE_URL": BASE_URL,
        "SENTINEL_INBOUND_DOMAIN": INBOUND_DOMAIN,
        "SENTINEL_SECRET_KEY": SECRET,
        "SENTINEL_DATA_DIR": str(place.folder),
        **more,
    }


def sentinel(*arguments: str) -> list[str]:
    """The command line of one of the product's own programs."""
    return [sys.executable, "-m", "sentinel", *arguments]


def prepare(place: Place) -> None:
    """Migrate once; every part gets a copy."""
    subprocess.run(
        sentinel("migrate"), env=environment(place), cwd=CHECKOUT, check=True, stdout=subprocess.DEVNULL
    )
    _rename(place, "sentinel", MIGRATED)


@contextmanager
def fresh_database(place: Place) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """An empty database that every program finds; yields a connection of our own to it (autocommit)."""
    with _administration(place) as connection:
        connection.execute(
            SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
                Identifier("sentinel"), Identifier(MIGRATED)
            )
        )
    try:
        with psycopg.connect(place.cluster.url(), autocommit=True) as connection:
            yield connection
    finally:
        connections.close_all()  # Django's own would be cut off and not notice
        with _administration(place) as connection:
            connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier("sentinel")))


def _administration(place: Place) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(place.cluster.url("postgres"), autocommit=True)


def _rename(place: Place, old: str, new: str) -> None:
    with _administration(place) as connection:
        connection.execute(SQL("ALTER DATABASE {} RENAME TO {}").format(Identifier(old), Identifier(new)))
