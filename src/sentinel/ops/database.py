"""The database a command works on: the one that was set, or the embedded one."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connections

from sentinel.ops.postgres import Cluster, cluster_in


def embedded_cluster() -> Cluster | None:
    """The embedded server, or None when SENTINEL_DATABASE_URL names another."""
    return None if settings.ENVIRONMENT.database_url else cluster_in(settings.DATA_DIR)


@contextmanager
def database_running() -> Iterator[None]:
    """Keep the database reachable for the length of the block."""
    cluster = embedded_cluster()
    if cluster is None:
        yield
        return
    with cluster.running():
        try:
            yield
        finally:
            connections.close_all()
