"""The database a command works on: the one that was set, or the embedded one."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor

from sentinel.ops.postgres import Cluster, cluster_in

# Any number will do, as long as everybody who migrates takes the same one.
MIGRATION_LOCK = 7_362_001


def embedded_cluster() -> Cluster | None:
    """The embedded server, or None when SENTINEL_DATABASE_URL names another."""
    return None if settings.ENVIRONMENT.database_url else cluster_in(settings.DATA_DIR)


@contextmanager
def database_running() -> Iterator[Cluster | None]:
    """Keep the database reachable for the length of the block; yields the embedded server, if any."""
    cluster = embedded_cluster()
    if cluster is None:
        yield None
        return
    with cluster.running():
        try:
            yield cluster
        finally:
            connections.close_all()


def migrate(verbosity: int = 1) -> None:
    """Bring the database to this release; when several start at once, one works and the others wait."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        try:
            call_command("migrate", interactive=False, verbosity=verbosity)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATION_LOCK])


def unapplied_migrations() -> list[str]:
    """Names of the migrations this release needs and the database does not have, in order."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _backwards in plan]
