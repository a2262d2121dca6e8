"""Reading the customers, and the one answer to who may see and change an account."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db.models import Count, Prefetch, Q, QuerySet

from sentinel.accounts.models import Account, Permission, RosterImport, Site, Worker
from sentinel.accounts.rules import MailState, PermissionFacts, WorkerStatus, is_permitted
from sentinel.kernel.calendars import BusinessCalendar
from sentinel.people.models import User
from sentinel.people.rules import Role
from sentinel.people.selectors import seen_from, stood_in_for


def accounts_visible_to(user: User, now: datetime) -> QuerySet[Account]:
    """The active accounts a user may see; every list, page, search and export asks here.

    Administrators, analysts and officers: all. Executives: those they answer for, and those nobody answers
    for. Everybody: accounts that name them as owner, deputy, manager or focus executive or whose owner they
    lead, and what is seen in these ways by somebody for whom they stand in as owner at ``now``.
    """
    accounts = Account.objects.filter(is_active=True)
    if not user.is_active:
        return accounts.none()
    if user.has_role(Role.ADMINISTRATOR, Role.ANALYST, Role.OFFICER):
        return accounts
    mine = (
        Q(owner=user)
        | Q(owner__in=stood_in_for(user.pk, now))
        | Q(deputy=user)
        | Q(manager=user)
        | Q(owner__manager=user)
        | Q(focus_executive=user)
    )
    if user.has_role(Role.EXECUTIVE):
        mine |= Q(focus_executive__isnull=True)
    return accounts.filter(mine)


def may_read_account(user: User, account: Account, now: datetime) -> bool:
    """Whether the user may see this account."""
    return accounts_visible_to(user, now).filter(pk=account.pk).exists()


def may_change_account(user: User, account: Account, now: datetime) -> bool:
    """Whether the user may change the account, its sites, workers, permission and roster: owner, deputy,
    manager (of the account or of its owner), whoever stands in for the owner, and administrators."""
    if not user.is_active or not account.is_active:
        return False
    if user.has_role(Role.ADMINISTRATOR):
        return True
    named = (account.owner_id, account.deputy_id, account.manager_id, account.owner.manager_id)
    return user.pk in named or account.owner_id in stood_in_for(user.pk, now)


def accounts_with_counts(user: User, now: datetime) -> QuerySet[Account]:
    """Visible accounts with ``site_count``, ``worker_count`` (active) and ``unreachable_count``, by name."""
    active = Q(sites__workers__status=WorkerStatus.ACTIVE.value)
    return (
        accounts_visible_to(user, now)
        .select_related("owner", "deputy", "manager", "focus_executive")
        .annotate(
            site_count=Count("sites", distinct=True),
            worker_count=Count("sites__workers", filter=active, distinct=True),
            unreachable_count=Count(
                "sites__workers",
                filter=active & ~Q(sites__workers__mail_state=MailState.GOOD.value),
                distinct=True,
            ),
        )
    )


def account_for(user: User, account_id: int, now: datetime) -> Account | None:
    """The account with its people, or None when there is none that this user may see."""
    people = ("owner__calendar", "owner__manager", "deputy", "manager", "focus_executive")
    return accounts_visible_to(user, now).select_related(*people).filter(pk=account_id).first()


def sites_of(account: Account) -> QuerySet[Site]:
    """The account's sites by name, each with ``worker_count`` (active)."""
    active = Q(workers__status=WorkerStatus.ACTIVE.value)
    return (
        Site.objects.filter(account=account)
        .select_related("calendar")
        .annotate(worker_count=Count("workers", filter=active))
    )


def workers_of(account: Account, *, search: str = "", include_left: bool = False) -> QuerySet[Worker]:
    """The account's workers by name, to be paged by the caller; ``search`` as in :func:`search_workers`."""
    workers = Worker.objects.filter(site__account=account).select_related("site__account")
    if not include_left:
        workers = workers.filter(status=WorkerStatus.ACTIVE.value)
    return _matching(workers, search)


def workers_visible_to(user: User, now: datetime) -> QuerySet[Worker]:
    """The workers of all accounts the user may see."""
    return Worker.objects.filter(site__account__in=accounts_visible_to(user, now)).select_related(
        "site__account"
    )


def search_workers(user: User, text: str, now: datetime, limit: int = 20) -> list[Worker]:
    """Up to ``limit`` visible workers whose name, e-mail, department, number or telephone has every word."""
    if not text.strip():
        return []
    return list(_matching(workers_visible_to(user, now), text)[:limit])


def _matching(workers: QuerySet[Worker], search: str) -> QuerySet[Worker]:
    for word in search.split()[:8]:
        found = Q(name__icontains=word) | Q(email__icontains=word) | Q(department__icontains=word)
        found |= Q(external_ref__iexact=word)
        digits = "".join(c for c in word if c.isdecimal())
        if len(digits) >= 4:
            found |= Q(telephone__contains=digits.lstrip("0"))
        workers = workers.filter(found)
    return workers


def calendar_of_site(site: Site) -> BusinessCalendar:
    """When people at the site work, in the site's zone."""
    return seen_from(site.calendar, site.zone)


def permission_facts(account: Account) -> list[PermissionFacts]:
    """The account's permissions as the rules want them."""
    return _facts_by_account([account.pk])[account.pk]


def is_site_permitted(site: Site, now: datetime) -> bool:
    """Whether the customer's permission covers this site today, by the site's own date."""
    return site.pk in permitted_site_ids(now, sites=[site])


def permitted_site_ids(now: datetime, sites: Iterable[Site] | None = None) -> frozenset[int]:
    """The sites (default: all of active accounts) that a permission covers at ``now``; three queries."""
    chosen = list(sites if sites is not None else Site.objects.filter(account__is_active=True))
    facts = _facts_by_account({site.account_id for site in chosen})
    return frozenset(
        site.pk
        for site in chosen
        if is_permitted(
            site_id=site.pk,
            permissions=facts[site.account_id],
            today=now.astimezone(ZoneInfo(site.zone)).date(),
        )
    )


def permissions_of(account: Account) -> QuerySet[Permission]:
    """The account's permissions with their sites, the newest first."""
    return account.permissions.select_related("recorded_by").prefetch_related("sites")


def _facts_by_account(account_ids: Iterable[int]) -> dict[int, list[PermissionFacts]]:
    found: dict[int, list[PermissionFacts]] = defaultdict(list)
    ids_only = Prefetch("sites", queryset=Site.objects.only("id"))
    for permission in Permission.objects.filter(account__in=account_ids).prefetch_related(ids_only):
        covered = frozenset(site.pk for site in permission.sites.all())
        found[permission.account_id].append(
            PermissionFacts(
                site_ids=covered or None,
                given_on=permission.given_on,
                valid_until=permission.valid_until,
                is_withdrawn=permission.withdrawn_at is not None,
            )
        )
    return found


def roster_imports_of(account: Account) -> QuerySet[RosterImport]:
    """The account's roster imports, the newest first, without the files themselves."""
    return account.roster_imports.defer("content").select_related("uploaded_by")
