"""Workers one by one; whole rosters are in `rosters`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from sentinel.accounts.errors import WorkerRefused
from sentinel.accounts.models import Worker
from sentinel.accounts.roster.cells import (
    CellRefused,
    check_text,
    clean,
    read_email,
    read_language,
    read_name,
)
from sentinel.accounts.rules import MailState, WorkerStatus
from sentinel.accounts.services.access import (
    about,
    locked_account,
    locked_worker,
    require_change,
    site_of_account,
)
from sentinel.accounts.telephones import read_telephone
from sentinel.people.models import User
from sentinel.people.services import actor_of
from sentinel.timeline.services import record_event
from sentinel.timeline.verbs import Verb

_COLUMNS = frozenset({"name", "email", "telephone", "language", "department", "external_ref"})


def add_worker(
    *,
    site_id: int,
    account_id: int,
    name: str,
    email: str,
    now: datetime,
    user: User | None = None,
    telephone: str = "",
    language: str = "",
    department: str = "",
    external_ref: str = "",
) -> Worker:
    """Add one worker to a site of the account. Raises WorkerRefused, for instance for an address in use."""
    columns = {
        "name": name,
        "email": email,
        "telephone": telephone,
        "language": language,
        "department": department,
        "external_ref": external_ref,
    }
    with transaction.atomic():
        account = locked_account(account_id)
        require_change(user, account, now)
        site = site_of_account(site_id, account_id)
        worker = Worker(site=site, joined_at=now, **_read(columns, site.calendar.country))
        _store(worker)
        data = {"name": worker.name, "site": site.name}
        record_event(verb=Verb.WORKER_ADDED, at=now, actor=actor_of(user), about=about(worker), data=data)
    return worker


def change_worker(*, worker_id: int, now: datetime, user: User | None = None, **columns: str) -> Worker:
    """Change name, email, telephone, language, department or external_ref. A new address counts as good."""
    unknown = sorted(set(columns) - _COLUMNS)
    if unknown:
        raise TypeError(f"cannot change {', '.join(unknown)} here")
    with transaction.atomic():
        worker = locked_worker(worker_id)
        require_change(user, worker.site.account, now)
        changes: dict[str, list[Any]] = {}
        for column, value in _read(columns, worker.site.calendar.country).items():
            before = getattr(worker, column)
            if before != value:
                changes[column] = [before, value]
                setattr(worker, column, value)
        if "email" in changes:
            worker.mail_state, worker.mail_state_reason = MailState.GOOD.value, ""
        if changes:
            _store(worker)
            record_event(
                verb=Verb.WORKER_CHANGED, at=now, actor=actor_of(user), about=about(worker), data=changes
            )
    return worker


def move_worker(*, worker_id: int, site_id: int, now: datetime, user: User | None = None) -> Worker:
    """The worker now works at another site of the same account."""
    with transaction.atomic():
        worker = locked_worker(worker_id)
        require_change(user, worker.site.account, now)
        if worker.site_id != site_id:
            before = worker.site
            worker.site = site_of_account(site_id, before.account_id)
            worker.save(update_fields=["site"])
            data = {"site": [before.name, worker.site.name], "site_id": [before.pk, site_id]}
            record_event(verb=Verb.WORKER_MOVED, at=now, actor=actor_of(user), about=about(worker), data=data)
    return worker


def worker_left(*, worker_id: int, now: datetime, user: User | None = None) -> Worker:
    """The worker no longer works there and is asked no more. Their open problem stays open."""
    return _set_status(worker_id, WorkerStatus.LEFT, now, user)


def worker_returned(*, worker_id: int, now: datetime, user: User | None = None) -> Worker:
    """A worker who had left works there again; what they chose then (also to be left alone) still counts."""
    return _set_status(worker_id, WorkerStatus.ACTIVE, now, user)


def _set_status(worker_id: int, status: WorkerStatus, now: datetime, user: User | None) -> Worker:
    with transaction.atomic():
        worker = locked_worker(worker_id)
        require_change(user, worker.site.account, now)
        if worker.status != status.value:
            has_left = status is WorkerStatus.LEFT
            worker.status = status.value
            worker.left_at = now if has_left else None
            worker.save(update_fields=["status", "left_at"])
            verb = Verb.WORKER_LEFT if has_left else Verb.WORKER_RETURNED
            record_event(verb=verb, at=now, actor=actor_of(user), about=about(worker))
    return worker


def _read(columns: dict[str, str], country: str) -> dict[str, str]:
    read: dict[str, str] = {}
    try:
        for column, text in columns.items():
            read[column] = _read_column(column, text, country)
    except CellRefused as refused:
        message = f"{str(refused)[:1].upper()}{str(refused)[1:]}."
        raise WorkerRefused("worker_invalid", message, {"field": column}) from None
    return read


def _read_column(column: str, text: str, country: str) -> str:
    if column == "name":
        return read_name(text)
    if column == "email":
        return read_email(text)
    if column == "language":
        return read_language(clean(text))
    if column == "telephone":
        telephone = read_telephone(clean(text), country)
        if text.strip() and not telephone.number:
            raise CellRefused(telephone.trouble)
        return telephone.number
    return check_text(clean(text), "department" if column == "department" else "external id")


def _store(worker: Worker) -> None:
    try:
        with transaction.atomic():
            worker.save()
    except IntegrityError:
        raise WorkerRefused(
            "email_taken", "This e-mail address already belongs to a worker.", {"field": "email"}
        ) from None
