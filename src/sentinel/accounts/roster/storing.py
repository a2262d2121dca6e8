"""Writing a diff: COPY for the new, one UPDATE from a temporary table for the rest.

Runs inside the caller's transaction, so that a roster is imported whole or not at all. An UPDATE takes only
rows that nobody has written since they were compared; when one is missing, RosterChanged undoes everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import astuple
from datetime import datetime
from typing import Any

from django.db import IntegrityError, connection

from sentinel.accounts.errors import RosterChanged
from sentinel.accounts.models import Worker
from sentinel.accounts.roster.diff import FIELDS, Diff, NewWorker
from sentinel.accounts.roster.matching import KnownWorker

#: Called with what is being done, how many are done, and of how many.
Progress = Callable[[str, int, int], None]

_STEP = 5_000
_LAYOUT = ", ".join(f"{name} varchar" for name in FIELDS)
_ASSIGN = ", ".join(f"{name} = n.{name}" for name in FIELDS)
_CREATE = f"""
CREATE TEMPORARY TABLE IF NOT EXISTS roster_update
    (id bigint, version text, site_id bigint, {_LAYOUT}) ON COMMIT DROP
"""
_UPDATE = f"""
UPDATE accounts_worker w
   SET site_id = n.site_id, {_ASSIGN}, status = 'active', left_at = NULL,
       mail_state = CASE WHEN w.email = n.email THEN w.mail_state ELSE 'good' END,
       mail_state_reason = CASE WHEN w.email = n.email THEN w.mail_state_reason ELSE '' END
  FROM roster_update n
 WHERE w.id = n.id AND w.xmin = n.version::xid
"""  # noqa: S608  # made of our own field names
_LEAVE = """
UPDATE accounts_worker w SET status = 'left', left_at = %s
  FROM unnest(%s::bigint[], %s::text[]) AS n (id, version)
 WHERE w.id = n.id AND w.xmin = n.version::xid
"""


def store_diff(diff: Diff, *, now: datetime, progress: Progress) -> None:
    """Write everything the diff says about workers. Raises RosterChanged when somebody else was faster."""
    try:
        with connection.wrap_database_errors:
            _insert(diff.new, now, progress)
            _update(diff, progress)
            _leave(diff.left, now)
    except IntegrityError as error:
        raise RosterChanged(
            "roster_changed",
            "Somebody added one of these workers meanwhile. Nothing was imported; look again.",
        ) from error


def _insert(new: Sequence[NewWorker], now: datetime, progress: Progress) -> None:
    if not new:
        return
    template = _template(now)
    columns = ("site_id", *FIELDS, *template)
    fixed = tuple(template.values())
    rows = ((*astuple(n.wanted), *fixed) for n in new)
    _copy(f"accounts_worker ({', '.join(columns)})", rows, len(new), "adding", progress)


def _template(now: datetime) -> dict[str, Any]:
    """What every new worker has besides the file's fields: the model's own defaults, so that a column
    added to the model later cannot be forgotten here."""
    worker = Worker(joined_at=now)
    given = {"id", "site_id", *FIELDS}
    return {
        field.attname: field.get_db_prep_save(getattr(worker, field.attname), connection)
        for field in Worker._meta.concrete_fields
        if field.attname not in given
    }


def _update(diff: Diff, progress: Progress) -> None:
    updates = list(diff.updates)
    if not updates:
        return
    with connection.cursor() as cursor:
        cursor.execute(_CREATE)
        cursor.execute("TRUNCATE roster_update")
    rows = ((u.worker.id, u.worker.version, *astuple(u.wanted)) for u in updates)
    columns = ", ".join(("id", "version", "site_id", *FIELDS))
    _copy(f"roster_update ({columns})", rows, len(updates), "changing", progress)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE roster_update")
        cursor.execute(_UPDATE)
        _require_all(cursor.rowcount, len(updates))


def _leave(left: Sequence[KnownWorker], now: datetime) -> None:
    if not left:
        return
    with connection.cursor() as cursor:
        cursor.execute(_LEAVE, [now, [w.id for w in left], [w.version for w in left]])
        _require_all(cursor.rowcount, len(left))


def _require_all(written: int, wanted: int) -> None:
    if written != wanted:
        raise RosterChanged(
            "roster_changed",
            f"{wanted - written} of these workers were changed meanwhile. Nothing was imported; look again.",
        )


def _copy(into: str, rows: Iterable[tuple[Any, ...]], total: int, doing: str, progress: Progress) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY {into} FROM STDIN") as copy:
        for row in _counted(rows, total, doing, progress):
            copy.write_row(row)


def _counted(
    rows: Iterable[tuple[Any, ...]], total: int, doing: str, progress: Progress
) -> Iterator[tuple[Any, ...]]:
    for done, row in enumerate(rows):
        if done % _STEP == 0:
            progress(doing, done, total)
        yield row
    progress(doing, total, total)
