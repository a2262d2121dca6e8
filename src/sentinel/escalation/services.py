"""Writing ladders and duties. Callers hold the lock on the problem's row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import connection
from django.db.models import QuerySet

from sentinel.accounts.models import Account
from sentinel.escalation.models import Duty, FrozenPolicy, FrozenRung, Ladder, Rung
from sentinel.escalation.rules import DEFAULT_POLICY, DutyKind, PolicyFacts, RungFacts
from sentinel.escalation.selectors import columns_of, ladder_for, policy_of_ladder, rung_columns_of
from sentinel.kernel.errors import SentinelError
from sentinel.people.models import User
from sentinel.people.services import actor_of
from sentinel.problems.models import Problem
from sentinel.timeline.services import About, record_event
from sentinel.timeline.verbs import Verb


def ensure_default_ladder() -> Ladder:
    """The default ladder, made from the shipped numbers when there is none yet."""
    found = Ladder.objects.filter(is_default=True).first()
    if found is not None:
        return found
    ladder, created = Ladder.objects.get_or_create(
        is_default=True, defaults={"name": "Standard", **columns_of(DEFAULT_POLICY)}
    )
    if created:
        Rung.objects.bulk_create(
            [Rung(ladder=ladder, **columns) for columns in rung_columns_of(DEFAULT_POLICY.rungs)]
        )
    return ladder


def replace_rungs(*, ladder: Ladder, rungs: Sequence[RungFacts]) -> None:
    """Give a ladder these rungs. Nothing refers to a rung: running loops carry copies of theirs (L10)."""
    ladder.rungs.all().delete()
    Rung.objects.bulk_create([Rung(ladder=ladder, **columns) for columns in rung_columns_of(rungs)])


def record_ladder_change(
    *,
    ladder_id: int,
    before: Mapping[str, object] | None,
    after: Mapping[str, object] | None,
    user: User,
    now: datetime,
) -> None:
    """Put a ladder's change into the timeline, see :func:`describe_ladder`; None: did not or does not exist.

    It belongs to the whole installation, so it stands in the system's stream, also for an account's own.
    """
    record_event(
        verb=Verb.LADDER_CHANGED,
        at=now,
        actor=actor_of(user),
        about=About(),
        data={"ladder_id": ladder_id, "before": before, "after": after},
    )


def policy_for(account: Account) -> tuple[str, PolicyFacts]:
    """The ladder that would govern a new problem of this account: its name and facts."""
    ladder = ladder_for(account) or ensure_default_ladder()
    return ladder.name, policy_of_ladder(ladder)


def freeze_policy(*, problem: Problem, now: datetime, is_first: bool = False) -> PolicyFacts:
    """Copy the account's ladder into the problem (L10); any but the first time it is a deliberate re-plan."""
    name, policy = policy_for(problem.account)
    if not is_first:
        FrozenPolicy.objects.filter(problem=problem).delete()
    frozen = FrozenPolicy.objects.create(
        problem=problem, ladder_name=name, frozen_at=now, **columns_of(policy)
    )
    FrozenRung.objects.bulk_create(
        [FrozenRung(policy=frozen, **columns) for columns in rung_columns_of(policy.rungs)]
    )
    return policy


def set_duty(
    *,
    problem: Problem,
    kind: DutyKind,
    accountable: User,
    due_at: datetime,
    now: datetime,
    next_ask_at: datetime | None = None,
    failed_calls: int = 0,
) -> Duty:
    """Make this the problem's one duty. The ladder's position stays where it was (it never sinks).

    While the worker is asked (``kind`` ASK) nobody is late: only the next ask is on the timer.
    """
    found = Duty.objects.select_for_update().filter(problem=problem).first()
    duty = found or Duty(problem=problem, generation=0)
    duty.kind = kind.value
    duty.accountable = accountable
    duty.set_at = now
    duty.due_at = due_at
    duty.rung_at = None if kind is DutyKind.ASK else due_at
    duty.fire_at = _first(duty.rung_at, next_ask_at) or due_at
    duty.generation += 1
    duty.failed_calls = failed_calls
    duty.quarantined_at = None
    duty.quarantine_reason = ""
    duty.save(force_insert=found is None)
    return duty


def climb_now(*, duty: Duty, now: datetime) -> None:
    """Let the next rung fire at once (missed promise, worker wants the manager, nobody answers)."""
    duty.rung_at = now
    duty.fire_at = now
    duty.save(update_fields=["rung_at", "fire_at"])


def rearm(*, duty: Duty, rung_at: datetime | None, next_ask_at: datetime | None) -> None:
    """Set the timer after a firing; the caller saves nothing else of it afterwards."""
    arm(duty=duty, rung_at=rung_at, next_ask_at=next_ask_at)
    duty.save()


def arm(*, duty: Duty, rung_at: datetime | None, next_ask_at: datetime | None) -> None:
    """Set the timer in memory; whoever fires many saves them together, see :func:`save_climbs`."""
    duty.rung_at = rung_at
    duty.fire_at = _first(rung_at, next_ask_at) or duty.due_at


_SAVE_CLIMBS = """
UPDATE escalation_duty AS duty
SET accountable_id = new.accountable_id, rung = new.rung, repeats = new.repeats, rung_at = new.rung_at,
    fire_at = new.fire_at, last_fired_at = new.last_fired_at
FROM unnest(%s::bigint[], %s::bigint[], %s::int[], %s::int[], %s::timestamptz[], %s::timestamptz[],
            %s::timestamptz[])
    AS new (problem_id, accountable_id, rung, repeats, rung_at, fire_at, last_fired_at)
WHERE duty.problem_id = new.problem_id
"""


def save_climbs(duties: Sequence[Duty]) -> None:
    """Write what climbing changed of these duties with one statement; all of them must exist."""
    if not duties:
        return
    columns = (
        [duty.problem_id for duty in duties],
        [duty.accountable_id for duty in duties],
        [duty.rung for duty in duties],
        [duty.repeats for duty in duties],
        [duty.rung_at for duty in duties],
        [duty.fire_at for duty in duties],
        [duty.last_fired_at for duty in duties],
    )
    with connection.cursor() as cursor:
        cursor.execute(_SAVE_CLIMBS, columns)
        if cursor.rowcount != len(duties):
            raise SentinelError(f"{len(duties)} duties fired and {cursor.rowcount} were there to be written")


def _first(*instants: datetime | None) -> datetime | None:
    present = [at for at in instants if at is not None]
    return min(present) if present else None


def clear_duty(*, problem: Problem) -> None:
    """A closed problem owes nothing."""
    Duty.objects.filter(problem=problem).delete()


def due_duties(now: datetime) -> QuerySet[Duty]:
    """Duties whose timer is due, most overdue first, skipping rows another engine holds."""
    return (
        Duty.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(fire_at__lte=now, quarantined_at__isnull=True)
        .order_by("fire_at", "problem_id")
    )


def quarantine_duty(*, problem_id: int, reason: str, now: datetime) -> bool:
    """Put a duty aside that cannot be fired, so that it blocks no other. True when it was put aside now."""
    changed = Duty.objects.filter(problem_id=problem_id, quarantined_at__isnull=True).update(
        quarantined_at=now, quarantine_reason=reason[:2000]
    )
    return changed == 1


def release_quarantine(*, before: datetime) -> int:
    """Try quarantined duties again that were put aside before an instant. Returns how many."""
    return Duty.objects.filter(quarantined_at__lt=before).update(quarantined_at=None)
