"""Rosters: look first, then import the very file that was looked at, whole or not at all.

The timeline gets one ``roster.imported`` with the counts, and one event for each worker who changed, moved,
left or returned. Workers who are new have no event of their own: their row says when they came.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import PurePath
from typing import Any

from django.db import connection, transaction

from sentinel.accounts.errors import RosterChanged, RosterRefused
from sentinel.accounts.models import Account, RosterImport
from sentinel.accounts.roster.comparing import known_to
from sentinel.accounts.roster.decoding import MOST_BYTES
from sentinel.accounts.roster.diff import Changed, Diff, diff_roster
from sentinel.accounts.roster.matching import Known
from sentinel.accounts.roster.reading import Roster, read_roster
from sentinel.accounts.roster.storing import Progress, store_diff
from sentinel.accounts.roster.summary import summarise
from sentinel.accounts.services.access import require_change, site_of_account
from sentinel.kernel.errors import Conflict, NotFound
from sentinel.people.models import User
from sentinel.people.services import actor_of
from sentinel.timeline.bulk import Entry, record_events
from sentinel.timeline.services import About, record_event
from sentinel.timeline.verbs import Verb

_ATTEMPTS = 3


def _silent(doing: str, done: int, total: int) -> None:
    """Nobody wants to know."""


def compare_roster(
    *,
    account_id: int,
    content: bytes,
    is_complete_list: bool,
    user: User | None,
    now: datetime,
    default_site_id: int | None = None,
    encoding: str | None = None,
) -> dict[str, Any]:
    """What the file would do, as `roster.summary` describes it; writes nothing.

    Raises RosterRefused in plain words when the file is no roster.
    """
    account = _account(account_id)
    require_change(user, account, now)
    if default_site_id is not None:
        site_of_account(default_site_id, account_id)
    roster = read_roster(content, encoding=encoding)
    known, diff = _compare(roster, account_id, is_complete_list, default_site_id)
    return summarise(roster, diff, known)


def preview_roster(
    *,
    account_id: int,
    file_name: str,
    content: bytes,
    is_complete_list: bool,
    user: User | None,
    now: datetime,
    default_site_id: int | None = None,
    encoding: str | None = None,
) -> RosterImport:
    """Keep an uploaded file with the summary of what it would do (:mod:`sentinel.accounts.roster.summary`).

    ``default_site_id``: where the workers of lines without a site are. ``encoding``: overrules the search
    for it. Raises RosterRefused when the file is too big or no roster; then nothing is kept.
    """
    summary = compare_roster(
        account_id=account_id,
        content=content,
        is_complete_list=is_complete_list,
        user=user,
        now=now,
        default_site_id=default_site_id,
        encoding=encoding,
    )
    # What cannot be seen in the file itself must be the same when it is applied.
    summary["options"] = {"default_site_id": default_site_id, "encoding": encoding}
    return RosterImport.objects.create(
        account_id=account_id,
        file_name=PurePath(file_name.replace("\0", "")).name[:255] or "roster.csv",
        digest=hashlib.sha256(content).hexdigest(),
        content=content,
        is_complete_list=is_complete_list,
        uploaded_by=user,
        uploaded_at=now,
        summary=summary,
    )


def apply_roster(
    *, import_id: int, user: User | None, now: datetime, progress: Progress | None = None
) -> dict[str, Any]:
    """Import a previewed file in one transaction and return the summary of what was done.

    Everything is compared again with the database as it is now: what changed since the preview counts. The
    file is forgotten afterwards. Raises Conflict when it was applied or discarded already, RosterChanged
    when workers keep being changed by others at the same time.
    """
    report = progress or _silent
    report("reading", 0, 1)
    row = _import(import_id)
    require_change(user, row.account, now)
    _require_open(row)
    options = row.summary.get("options", {})
    roster = read_roster(bytes(row.content), encoding=options.get("encoding"))
    report("reading", 1, 1)
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with transaction.atomic():
                return _apply(import_id, roster, options, user, now, report)
        except RosterChanged:
            if attempt == _ATTEMPTS:
                raise
    raise AssertionError("unreachable")


def discard_roster(*, import_id: int, user: User | None, now: datetime) -> None:
    """Forget a previewed file without importing it. Twice is once."""
    with transaction.atomic():
        row = _import(import_id, lock=True)
        require_change(user, row.account, now)
        if row.applied_at is not None:
            raise Conflict("roster_applied", "This roster was imported already; it cannot be discarded.")
        if row.discarded_at is None:
            row.discarded_at = now
            row.content = b""
            row.save(update_fields=["discarded_at", "content"])


def refuse_big_file(size: int) -> None:
    """Refuse by its size in bytes a file that need not even be read."""
    if size > MOST_BYTES:
        most = MOST_BYTES // 1024 // 1024
        raise RosterRefused(
            "roster_too_big", f"The file has {size / 1024 / 1024:.0f} MB; {most} MB is the most."
        )


def _apply(
    import_id: int,
    roster: Roster,
    options: dict[str, Any],
    user: User | None,
    now: datetime,
    progress: Progress,
) -> dict[str, Any]:
    row = _import(import_id, lock=True)
    _require_open(row)
    # Two rosters of one account come one after the other, however many files are open.
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 20050303))", [f"roster:{row.account_id}"]
        )
    progress("comparing", 0, 1)
    known, diff = _compare(roster, row.account_id, row.is_complete_list, options.get("default_site_id"))
    progress("comparing", 1, 1)
    store_diff(diff, now=now, progress=progress)
    summary = summarise(roster, diff, known)
    if diff.change_count:
        progress("recording", 0, 1)
        _record(row, diff, known, summary, user, now)
        progress("recording", 1, 1)
    row.summary = summary
    row.applied_at = now
    row.content = b""
    row.save(update_fields=["summary", "applied_at", "content"])
    return summary


def _record(
    row: RosterImport, diff: Diff, known: Known, summary: dict[str, Any], user: User | None, now: datetime
) -> None:
    actor = actor_of(user)
    data = {"import_id": row.pk, "file": row.file_name, "complete": row.is_complete_list, **summary["counts"]}
    about = About(account_id=row.account_id)
    record_event(verb=Verb.ROSTER_IMPORTED, at=now, actor=actor, about=about, data=data)
    record_events(list(_entries(row, diff, known)), at=now, actor=actor)


def _entries(row: RosterImport, diff: Diff, known: Known) -> Iterator[Entry]:
    sites = {site.id: site.name for site in known.sites}
    groups = (
        (Verb.WORKER_RETURNED, diff.returned),
        (Verb.WORKER_MOVED, diff.moved),
        (Verb.WORKER_CHANGED, diff.changed),
    )
    for verb, group in groups:
        for changed in group:
            about = About(
                account_id=row.account_id, site_id=changed.wanted.site_id, worker_id=changed.worker.id
            )
            yield Entry(verb, about, {"import_id": row.pk, **_changes(changed, sites)})
    for worker in diff.left:
        about = About(account_id=row.account_id, site_id=worker.site_id, worker_id=worker.id)
        yield Entry(Verb.WORKER_LEFT, about, {"import_id": row.pk})


def _changes(changed: Changed, sites: dict[int, str]) -> dict[str, list[str]]:
    changes = {name: [before, after] for name, (before, after) in changed.changes.items()}
    if changed.wanted.site_id != changed.worker.site_id:
        changes["site"] = [sites.get(changed.worker.site_id, ""), sites[changed.wanted.site_id]]
    return changes


def _compare(
    roster: Roster, account_id: int, is_complete: bool, default_site_id: int | None
) -> tuple[Known, Diff]:
    known = known_to(account_id, roster)
    return known, diff_roster(roster, known, is_complete_list=is_complete, default_site_id=default_site_id)


def _account(account_id: int) -> Account:
    found = Account.objects.select_related("owner").filter(pk=account_id).first()
    if found is None:
        raise NotFound("account_unknown", "There is no such account.")
    return found


def _import(import_id: int, *, lock: bool = False) -> RosterImport:
    rows = RosterImport.objects.select_related("account__owner")
    if lock:
        rows = rows.select_for_update(of=("self",)).defer("content")
    found = rows.filter(pk=import_id).first()
    if found is None:
        raise NotFound("roster_unknown", "There is no such roster.")
    return found


def _require_open(row: RosterImport) -> None:
    if row.applied_at is not None:
        raise Conflict("roster_applied", "This roster was imported already.")
    if row.discarded_at is not None:
        raise Conflict("roster_discarded", "This roster was discarded; upload the file again.")
