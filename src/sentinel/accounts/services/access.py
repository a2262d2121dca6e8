"""What every service here does first: find the row, lock it, and ask whether this user may."""

from __future__ import annotations

from datetime import datetime

from sentinel.accounts.models import Account, Site, Worker
from sentinel.accounts.selectors import may_change_account
from sentinel.kernel.errors import NotAllowed, NotFound
from sentinel.people.models import User
from sentinel.people.rules import Role
from sentinel.timeline.services import About


def require_change(user: User | None, account: Account, now: datetime) -> None:
    """Refuse a user who may not change this account."""
    if user is not None and not may_change_account(user, account, now):
        raise NotAllowed(
            "account_not_yours", "Only the owner, deputy, manager or an administrator may change this."
        )


def require_role(user: User | None, *roles: Role) -> None:
    """Refuse a user who has none of the roles."""
    if user is not None and not (user.is_active and user.has_role(*roles)):
        raise NotAllowed("role_needed", f"Only a user with the role of {' or '.join(roles)} may do this.")


def locked_account(account_id: int) -> Account:
    """The account's row, locked until commit."""
    found = (
        Account.objects.select_for_update(of=("self",)).select_related("owner").filter(pk=account_id).first()
    )
    if found is None:
        raise NotFound("account_unknown", "There is no such account.")
    return found


def locked_worker(worker_id: int) -> Worker:
    """The worker's row, locked until commit, with site and account."""
    rows = Worker.objects.select_for_update(of=("self",)).select_related(
        "site__account__owner", "site__calendar"
    )
    found = rows.filter(pk=worker_id).first()
    if found is None:
        raise NotFound("worker_unknown", "There is no such worker.")
    return found


def site_of_account(site_id: int, account_id: int) -> Site:
    """The site, which must be one of the account's."""
    found = (
        Site.objects.select_related("account__owner", "calendar")
        .filter(pk=site_id, account=account_id)
        .first()
    )
    if found is None:
        raise NotFound("site_unknown", "There is no such site at this account.")
    return found


def about(worker: Worker) -> About:
    """What an event about this worker points to."""
    return About(account_id=worker.site.account_id, site_id=worker.site_id, worker_id=worker.pk)
