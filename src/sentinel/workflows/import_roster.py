"""Import a previewed roster, and say what it leaves behind in other domains."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from sentinel.accounts.models import RosterImport
from sentinel.accounts.roster.storing import Progress
from sentinel.accounts.rules import WorkerStatus
from sentinel.accounts.services import apply_roster
from sentinel.people.models import User
from sentinel.problems.selectors import open_problems


@dataclass(frozen=True, kw_only=True)
class RosterImported:
    """What an import did.

    ``summary``: as :mod:`sentinel.accounts.roster.summary` describes it. ``open_problem_ids``: open problems
    of workers whom this roster made leave; their loops go on until a manager has looked and ended them.
    """

    summary: dict[str, Any]
    open_problem_ids: tuple[int, ...]


def import_roster(
    *, import_id: int, user: User | None, now: datetime, progress: Progress | None = None
) -> RosterImported:
    """Apply a previewed roster in one transaction. Refuses as
    :func:`~sentinel.accounts.services.rosters.apply_roster` does; ends no problem by itself."""
    with transaction.atomic():
        summary = apply_roster(import_id=import_id, user=user, now=now, progress=progress)
        account_id = RosterImport.objects.values_list("account_id", flat=True).get(pk=import_id)
        left_open = open_problems().filter(
            account_id=account_id, worker__status=WorkerStatus.LEFT.value, worker__left_at=now
        )
        return RosterImported(summary=summary, open_problem_ids=tuple(left_open.values_list("id", flat=True)))
