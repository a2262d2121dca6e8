"""PostgreSQL, always: one dialect in production, in the demonstration and in every test."""

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from sentinel.config.environment import environment
from sentinel.ops.postgres import cluster_in

#: Whoever stands still in the middle of a transaction (a frozen process, a cut cable) holds the locks of many
#: problems: after so long, a lease, the database ends that session, and others go on.
STANDSTILL = "-c idle_in_transaction_session_timeout=30s"


def database_from(url: str) -> dict[str, Any]:
    """Django's form of a PostgreSQL address; unknown query parameters go to libpq as they are."""
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    host = options.pop("host", parts.hostname or "")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or ""),
        "OPTIONS": {
            "connect_timeout": "10",
            "application_name": "sentinel",
            "options": STANDSTILL,
            **options,
        },
        # Connections live as long as their thread; a health check replaces one that the server lost.
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        # A transaction spans exactly what a workflow says, never a whole request.
        "ATOMIC_REQUESTS": False,
    }


DATABASES = {"default": database_from(environment().database_url or cluster_in(environment().data_dir).url())}
