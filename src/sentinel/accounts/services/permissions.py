"""The customer's recorded consent. No permission, no mail."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from django.db import transaction

from sentinel.accounts.errors import PermissionRefused
from sentinel.accounts.models import Permission, Site
from sentinel.accounts.services.access import locked_account, require_change
from sentinel.kernel.errors import NotFound
from sentinel.people.models import User
from sentinel.people.services import actor_of
from sentinel.timeline.services import About, record_event
from sentinel.timeline.verbs import Verb


def grant_permission(
    *,
    account_id: int,
    given_by: str,
    given_on: date,
    evidence: str,
    user: User,
    now: datetime,
    valid_until: date | None = None,
    site_ids: Iterable[int] = (),
) -> Permission:
    """Record that the customer allows Sentinel to ask its workers.

    ``given_by``: the person at the customer. ``evidence``: where the consent can be read. ``site_ids`` empty:
    all sites, also future ones. A permission is never edited: withdraw it and record another.
    """
    chosen = set(site_ids)
    with transaction.atomic():
        account = locked_account(account_id)
        require_change(user, account, now)
        sites = list(Site.objects.filter(pk__in=chosen, account=account))
        if len(sites) != len(chosen):
            raise NotFound("site_unknown", "There is no such site at this account.")
        _check(given_by, evidence, given_on, valid_until, now)
        permission = Permission.objects.create(
            account=account,
            given_by=given_by.strip()[:200],
            given_on=given_on,
            valid_until=valid_until,
            evidence=evidence.strip(),
            recorded_by=user,
            recorded_at=now,
        )
        permission.sites.set(sites)
        data = {
            "permission_id": permission.pk,
            "given_by": permission.given_by,
            "sites": sorted(chosen) or "all",
        }
        about = About(account_id=account.pk)
        record_event(verb=Verb.PERMISSION_GRANTED, at=now, actor=actor_of(user), about=about, data=data)
    return permission


def withdraw_permission(
    *, permission_id: int, reason: str, now: datetime, user: User | None = None
) -> Permission:
    """The customer takes the permission back: from now on nothing is sent because of it. Twice is once."""
    with transaction.atomic():
        rows = Permission.objects.select_for_update(of=("self",)).select_related("account__owner")
        permission = rows.filter(pk=permission_id).first()
        if permission is None:
            raise NotFound("permission_unknown", "There is no such permission.")
        require_change(user, permission.account, now)
        if permission.withdrawn_at is not None:
            return permission
        permission.withdrawn_at = now
        permission.withdrawn_reason = reason.strip()[:500]
        permission.save(update_fields=["withdrawn_at", "withdrawn_reason"])
        about = About(account_id=permission.account_id)
        data = {"permission_id": permission.pk, "reason": permission.withdrawn_reason}
        record_event(verb=Verb.PERMISSION_WITHDRAWN, at=now, actor=actor_of(user), about=about, data=data)
    return permission


def _check(given_by: str, evidence: str, given_on: date, valid_until: date | None, now: datetime) -> None:
    if not given_by.strip():
        raise PermissionRefused("giver_missing", "Say who at the customer gave the permission.")
    if not evidence.strip():
        raise PermissionRefused(
            "evidence_missing", "Say where the permission can be read, e.g. the contract's clause."
        )
    # A day ahead of UTC is today somewhere.
    if (given_on - now.date()).days > 1:
        raise PermissionRefused("given_in_future", "A permission cannot have been given in the future.")
    if valid_until is not None and valid_until < given_on:
        raise PermissionRefused("ends_before_start", "The permission cannot end before it was given.")
