"""Accounts and their sites."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction

from sentinel.accounts.errors import AccountRefused
from sentinel.accounts.models import Account, Site
from sentinel.accounts.rules import Tier
from sentinel.accounts.services.access import locked_account, require_change, require_role, site_of_account
from sentinel.people.models import User, WorkCalendar
from sentinel.people.reach import reaches, without_way
from sentinel.people.rules import Role
from sentinel.people.services import actor_of
from sentinel.timeline.services import About, record_event
from sentinel.timeline.verbs import Verb

_ACCOUNT_COLUMNS = frozenset(
    {"name", "external_ref", "tier", "deputy", "manager", "focus_executive", "is_active"}
)
#: Who hears of an account's problems, besides its owner.
_ON_LADDER = ("deputy", "manager", "focus_executive")
_SITE_COLUMNS = frozenset({"name", "address", "zone", "calendar", "language"})


def create_account(
    *,
    name: str,
    owner: User,
    now: datetime,
    user: User | None = None,
    deputy: User | None = None,
    manager: User | None = None,
    focus_executive: User | None = None,
    tier: Tier = Tier.STANDARD,
    external_ref: str = "",
) -> Account:
    """Enter a customer. For administrators and managers. Raises AccountRefused, for instance for a name
    that exists already (whatever its case), and for people whom no notice reaches."""
    require_role(user, Role.ADMINISTRATOR, Role.MANAGER)
    _require_reachable([owner, deputy, manager, focus_executive], now)
    account = Account(
        name=" ".join(name.split()),
        owner=owner,
        deputy=deputy,
        manager=manager,
        focus_executive=focus_executive,
        tier=tier.value,
        external_ref=external_ref.strip(),
        created_at=now,
    )
    with transaction.atomic():
        _store(account, taken="There is already an account of this name.")
        about = About(account_id=account.pk)
        data = {"name": account.name, "owner_id": owner.pk}
        record_event(verb=Verb.ACCOUNT_CREATED, at=now, actor=actor_of(user), about=about, data=data)
    return account


def change_account(*, account_id: int, now: datetime, user: User | None = None, **columns: Any) -> Account:
    """Change name, external_ref, tier, deputy, manager, focus_executive or is_active.

    The owner changes by :func:`hand_account_to`. Deactivating needs an administrator. Raises AccountRefused
    for people whom no notice reaches.
    """
    _require_known(columns, _ACCOUNT_COLUMNS)
    if "is_active" in columns:
        require_role(user, Role.ADMINISTRATOR)
    with transaction.atomic():
        account = locked_account(account_id)
        if account.is_active:
            require_change(user, account, now)
        changes = _assign(account, columns)
        _require_reachable([columns[name] for name in _ON_LADDER if name in changes], now)
        if changes:
            _store(account, taken="There is already an account of this name.")
            about = About(account_id=account.pk)
            record_event(verb=Verb.ACCOUNT_CHANGED, at=now, actor=actor_of(user), about=about, data=changes)
    return account


def hand_account_to(
    *, account_id: int, owner_id: int, now: datetime, user: User | None = None, note: str = ""
) -> Account:
    """Make somebody else the owner. Open problems keep their own owner until they are handed over themselves.

    A deputy who becomes owner stops being the deputy. Raises AccountRefused unless the new owner is active
    and notices reach them.
    """
    with transaction.atomic():
        account = locked_account(account_id)
        require_change(user, account, now)
        if account.owner_id == owner_id:
            return account
        owner = User.objects.filter(pk=owner_id, is_active=True).first()
        if owner is None:
            raise AccountRefused("owner_inactive", "The new owner must be an active user.")
        _require_reachable([owner], now)
        data = {"owner_id": [account.owner_id, owner_id], "note": note.strip()}
        account.owner = owner
        if account.deputy_id == owner_id:
            account.deputy = None
        account.save(update_fields=["owner", "deputy"])
        about = About(account_id=account.pk, user_id=owner_id)
        record_event(verb=Verb.ACCOUNT_HANDED_OVER, at=now, actor=actor_of(user), about=about, data=data)
    return account


def add_site(
    *,
    account_id: int,
    name: str,
    zone: str,
    calendar: WorkCalendar,
    now: datetime,
    user: User | None = None,
    language: str = "en",
    address: str = "",
) -> Site:
    """Add a place of the account. ``zone`` is an IANA time zone."""
    with transaction.atomic():
        account = locked_account(account_id)
        require_change(user, account, now)
        site = Site(
            account=account,
            name=" ".join(name.split()),
            zone=zone,
            calendar=calendar,
            language=language,
            address=address.strip(),
        )
        _store(site, taken="This account already has a site of this name.")
        about = About(account_id=account.pk, site_id=site.pk)
        data = {"name": site.name, "zone": zone}
        record_event(verb=Verb.SITE_ADDED, at=now, actor=actor_of(user), about=about, data=data)
    return site


def change_site(
    *, site_id: int, account_id: int, now: datetime, user: User | None = None, **columns: Any
) -> Site:
    """Change name, address, zone, calendar or language of a site."""
    _require_known(columns, _SITE_COLUMNS)
    with transaction.atomic():
        account = locked_account(account_id)
        require_change(user, account, now)
        site = site_of_account(site_id, account_id)
        changes = _assign(site, columns)
        if changes:
            _store(site, taken="This account already has a site of this name.")
            about = About(account_id=account.pk, site_id=site.pk)
            record_event(verb=Verb.SITE_CHANGED, at=now, actor=actor_of(user), about=about, data=changes)
    return site


def _require_reachable(people: Iterable[User | None], now: datetime) -> None:
    """Nobody stands on a ladder whom no notice reaches: the account's problems would go unheard there."""
    lost = without_way([user for user in people if user is not None])
    if lost:
        why = " ".join(reach.why_never for reach in reaches(lost, now=now).values())
        raise AccountRefused("out_of_reach", f"{why} Let them add or repair a way first, on their profile.")


def _require_known(columns: dict[str, Any], known: frozenset[str]) -> None:
    unknown = sorted(set(columns) - known)
    if unknown:
        raise TypeError(f"cannot change {', '.join(unknown)} here")


def _assign(row: models.Model, columns: dict[str, Any]) -> dict[str, list[Any]]:
    """Set the columns; returns what changed as ``{column: [before, after]}`` in plain values."""
    changes: dict[str, list[Any]] = {}
    for column, value in columns.items():
        before = getattr(row, column)
        if before != value:
            setattr(row, column, value)
            changes[column] = [_plain(before), _plain(value)]
    return changes


def _plain(value: Any) -> Any:
    return value.pk if isinstance(value, models.Model) else value


def _store(row: models.Model, *, taken: str) -> None:
    try:
        # Constraints are the database's to judge: their messages name columns, not people.
        row.full_clean(validate_constraints=False)
    except ValidationError as error:
        named = (f"{column}: {' '.join(texts)}" for column, texts in error.message_dict.items())
        raise AccountRefused("invalid", "; ".join(named)) from None
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        if "deputy_is_other" in str(error):
            raise AccountRefused(
                "deputy_is_owner", "The deputy must be somebody else than the owner."
            ) from None
        raise AccountRefused("name_taken", taken) from None
