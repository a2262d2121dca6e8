"""Reading ladders and duties, and finding the people of a rung."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Q, QuerySet

from sentinel.accounts.models import Account, Site
from sentinel.accounts.rules import Tier
from sentinel.accounts.selectors import calendar_of_site
from sentinel.checkins.rules import Severity
from sentinel.escalation.models import Duty, FrozenPolicy, Ladder, PolicyColumns, RungColumns
from sentinel.escalation.rules import Audience, DutyKind, Heat, PolicyFacts, RungFacts
from sentinel.kernel.calendars import Both, Hours
from sentinel.kernel.durations import describe_duration
from sentinel.people.models import User
from sentinel.people.presence import PeopleAt
from sentinel.people.rules import Role
from sentinel.people.selectors import active_users_with_role, calendar_of
from sentinel.problems.models import Problem


def facts_of(policy: PolicyColumns, rungs: Sequence[RungColumns]) -> PolicyFacts:
    """A ladder or frozen policy as the rules want it."""
    return PolicyFacts(
        acknowledge_within=policy.acknowledge_within,
        call_within=policy.call_within,
        call_again_after=policy.call_again_after,
        promise_within_days=policy.promise_within_days,
        solve_within_days=policy.solve_within_days,
        stopped_solve_within_days=policy.stopped_solve_within_days,
        ask_again_after_days=tuple(policy.ask_again_after_days),
        ask_by_call_after_days=policy.ask_by_call_after_days,
        ask_on_after_days=policy.ask_on_after_days,
        rungs=tuple(
            RungFacts(
                position=rung.position,
                after=rung.after,
                audience=tuple(Audience(a) for a in rung.audience),
                takes_over=rung.takes_over,
                breaks_quiet_hours=rung.breaks_quiet_hours,
            )
            for rung in rungs
        ),
    )


def policy_of(problem: Problem) -> PolicyFacts:
    """The frozen policy that governs this problem (L10)."""
    frozen = FrozenPolicy.objects.prefetch_related("rungs").get(problem=problem)
    return facts_of(frozen, list(frozen.rungs.all()))


# Hundreds of loops run on copies of few ladders: equal copies have equal text, and one of each is read.
_TEXTS = """
SELECT policy.problem_id,
       ROW(acknowledge_within, call_within, call_again_after, promise_within_days, solve_within_days,
           stopped_solve_within_days, ask_again_after_days, ask_by_call_after_days, ask_on_after_days)::text
       || (SELECT string_agg(ROW(position, after, audience, takes_over, breaks_quiet_hours)::text, ';'
                             ORDER BY position)
           FROM escalation_frozenrung AS rung WHERE rung.policy_id = policy.problem_id)
FROM escalation_frozenpolicy AS policy WHERE policy.problem_id = ANY(%s)
"""


def policies_of(problem_ids: Collection[int]) -> dict[int, PolicyFacts]:
    """The frozen policies of many problems (L10), with three queries; one that has none is left out."""
    with connection.cursor() as cursor:
        cursor.execute(_TEXTS, [list(problem_ids)])
        texts = dict(cursor.fetchall())
    examples = {text: problem_id for problem_id, text in texts.items()}
    frozen = FrozenPolicy.objects.filter(pk__in=examples.values()).prefetch_related("rungs")
    read = {policy.pk: facts_of(policy, list(policy.rungs.all())) for policy in frozen}
    return {problem_id: read[examples[text]] for problem_id, text in texts.items()}


def policy_of_ladder(ladder: Ladder) -> PolicyFacts:
    """A ladder as it stands now."""
    return facts_of(ladder, list(ladder.rungs.all()))


def describe_ladder(ladder: Ladder) -> dict[str, object]:
    """A ladder as it stands now, for the timeline: durations in words, whatever counts days in numbers."""
    policy = policy_of_ladder(ladder)
    return {
        "name": ladder.name,
        "account_id": ladder.account_id,
        "tier": ladder.tier,
        "is_default": ladder.is_default,
        **_in_words(columns_of(policy)),
        "rungs": [_in_words(columns) for columns in rung_columns_of(policy.rungs)],
    }


def _in_words(columns: Mapping[str, object]) -> dict[str, object]:
    return {
        name: describe_duration(value) if isinstance(value, timedelta) else value
        for name, value in columns.items()
    }


def columns_of(policy: PolicyFacts) -> dict[str, object]:
    """The columns of a ladder or frozen policy with these facts, without its rungs."""
    return {
        "acknowledge_within": policy.acknowledge_within,
        "call_within": policy.call_within,
        "call_again_after": policy.call_again_after,
        "promise_within_days": policy.promise_within_days,
        "solve_within_days": policy.solve_within_days,
        "stopped_solve_within_days": policy.stopped_solve_within_days,
        "ask_again_after_days": list(policy.ask_again_after_days),
        "ask_by_call_after_days": policy.ask_by_call_after_days,
        "ask_on_after_days": policy.ask_on_after_days,
    }


def rung_columns_of(rungs: Sequence[RungFacts]) -> list[dict[str, object]]:
    """The columns of rungs with these facts."""
    return [
        {
            "position": rung.position,
            "after": rung.after,
            "audience": [a.value for a in rung.audience],
            "takes_over": rung.takes_over,
            "breaks_quiet_hours": rung.breaks_quiet_hours,
        }
        for rung in rungs
    ]


def ladder_for(account: Account) -> Ladder | None:
    """The account's own ladder, else its tier's, else the default."""
    of_tier = Q(account__isnull=True, tier=account.tier)
    fitting = Ladder.objects.filter(Q(account=account) | of_tier | Q(is_default=True))
    return min(fitting, key=lambda ladder: _remoteness(ladder, account), default=None)


def _remoteness(ladder: Ladder, account: Account) -> int:
    if ladder.account_id == account.pk:
        return 0
    return 1 if ladder.account_id is None and ladder.tier == account.tier else 2


def heat_of(problem: Problem) -> Heat:
    """What makes this problem's ladder climb faster."""
    return heat_for(
        account=problem.account,
        severity=Severity(problem.severity),
        attention=problem.attention,
        missed_promises=problem.missed_promises,
    )


def heat_for(*, account: Account, severity: Severity, attention: int = 0, missed_promises: int = 0) -> Heat:
    """The heat of a problem with these facts."""
    return Heat(
        is_stopped=severity is Severity.STOPPED,
        is_key_account=account.tier == Tier.KEY.value,
        attention=attention,
        missed_promises=missed_promises,
    )


def hours_for(*, kind: DutyKind, accountable: User, site: Site, people: PeopleAt | None = None) -> Hours:
    """Whose working hours count for a duty (L9): the actor's; with a call also the worker's; while the
    worker is asked, the worker's alone."""
    theirs = people.seen_from(site.calendar, site.zone) if people else calendar_of_site(site)
    if kind is DutyKind.ASK:
        return theirs
    ours = people.hours_of(accountable) if people else calendar_of(accountable)
    return Both(ours, theirs) if kind is DutyKind.CALL else ours


def accountable_for(*, owner: User, account: Account, now: datetime, people: PeopleAt | None = None) -> User:
    """The owner, or whoever stands in for them now."""
    return (people or PeopleAt(now)).acting(owner, default_deputy_id=account.deputy_id)


def officer_for(account: Account, now: datetime, people: PeopleAt | None = None) -> User | None:
    """The officer of the day; with an empty rota the focus executive, else the manager."""
    people = people or PeopleAt(now)
    return people.officer or people.user_or_none(account.focus_executive_id or account.manager_id)


def executives_for(account: Account, people: PeopleAt | None = None) -> list[User]:
    """The focus executive, or every executive when the account has none (the director's part)."""
    focus = people.user_or_none(account.focus_executive_id) if people else account.focus_executive
    if focus is not None and focus.is_active:
        return [focus]
    return list(people.executives if people else active_users_with_role(Role.EXECUTIVE))


def people_on(
    *,
    audience: Sequence[Audience],
    account: Account,
    owner: User,
    accountable: User,
    now: datetime,
    people: PeopleAt | None = None,
) -> list[User]:
    """The users a rung tells, each once, absent ones replaced by their stand-in, in the rung's order.

    A part of the audience that nobody fills (no deputy, empty rota) is passed over; a rung that
    would reach nobody tells the executives, and in the last resort every administrator: somebody
    must hear of it.
    """
    people = people or PeopleAt(now)
    found: list[User | None] = []
    for part in audience:
        match part:
            case Audience.OWNER:
                found += [accountable, owner]
            case Audience.DEPUTY:
                found.append(people.user_or_none(account.deputy_id))
            case Audience.MANAGER:
                found.append(people.user_or_none(account.manager_id or owner.manager_id))
            case Audience.OFFICER:
                found.append(officer_for(account, now, people))
            case Audience.EXECUTIVE:
                found += executives_for(account, people)
    present: dict[int, User] = {}
    for user in found:
        acting = people.acting(user) if user is not None else None
        if acting is not None and acting.is_active:
            present.setdefault(acting.pk, acting)
    if not present:
        fallback = executives_for(account, people) or people.administrators
        present = {user.pk: user for user in fallback}
    return list(present.values())


def duties_of(user: User) -> QuerySet[Duty]:
    """What a user owes now, soonest first."""
    return (
        Duty.objects.filter(accountable=user)
        .select_related("problem__worker__site", "problem__site", "problem__account", "accountable")
        .order_by("due_at", "pk")
    )


def quarantined_duties() -> QuerySet[Duty]:
    """Duties whose firing failed; they need an engineer, and their problems a person."""
    return Duty.objects.filter(quarantined_at__isnull=False).select_related("problem__account", "accountable")


def problems_without_duty() -> QuerySet[Problem]:
    """Must be empty (L1); asked by the auditor and by tests."""
    return Problem.objects.filter(duty__isnull=True).exclude(state__in=["confirmed", "ended"])
