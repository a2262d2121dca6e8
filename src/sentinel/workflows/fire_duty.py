"""The engine's deciding step: one due duty fires, in one transaction (L3).

The firing, the messages it causes, the timeline entry and the next due time commit together; an engine
killed at any instant has either done all of it or nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from sentinel.accounts.selectors import calendar_of_site
from sentinel.checkins.models import CheckIn
from sentinel.checkins.rules import CheckInState
from sentinel.escalation.messages import Reason
from sentinel.escalation.models import Duty
from sentinel.escalation.rules import DutyKind, is_ask_by_call, next_ask
from sentinel.escalation.selectors import policy_of
from sentinel.escalation.services import rearm
from sentinel.escalation.stepping import next_step
from sentinel.kernel.errors import SentinelError
from sentinel.problems.messages import AskFacts, ask
from sentinel.problems.models import Problem, Proposal
from sentinel.problems.services import current_proposal
from sentinel.timeline.services import ENGINE, record_event
from sentinel.timeline.verbs import Verb
from sentinel.workflows.acting import about_problem
from sentinel.workflows.climbing import climb, entries_of, news_of, position_of
from sentinel.workflows.duties import owe_fresh_call
from sentinel.workflows.letters import letterhead, mail_reaches, mail_worker
from sentinel.workflows.notices import News, tell_users
from sentinel.workflows.promises import miss_promise


class PoisonDuty(SentinelError):
    """This duty cannot be fired; nothing of it was written. The engine quarantines it alone."""

    def __init__(self, problem_id: int, cause: Exception) -> None:
        super().__init__(f"the duty of problem {problem_id} cannot be fired: {type(cause).__name__}: {cause}")
        self.problem_id = problem_id


def fire_next_duty(*, now: datetime) -> int | None:
    """Fire the most overdue duty that no other engine holds. Returns its problem's id, None when nothing
    is due. Raises PoisonDuty for a row that cannot be fired.

    The problem's row is the lock, as in every workflow; the duty is read after it is ours.
    """
    with transaction.atomic():
        found = due_problems(now).values_list("pk", flat=True).first()
        if found is None:
            return None
        fire_alone(problem_id=found, now=now)
        return found


def fire_alone(*, problem_id: int, now: datetime) -> int | None:
    """Fire the duty of one problem and return the problem's id, None when it is not due (any more).
    Raises PoisonDuty, and has written nothing, when it cannot be fired."""
    try:
        with transaction.atomic():
            return problem_id if fire_duty(problem_id=problem_id, now=now) else None
    except Exception as error:
        raise PoisonDuty(problem_id, error) from error


def due_problems(now: datetime) -> QuerySet[Problem]:
    """The problems whose timer is due, most overdue first; each becomes ours, or is skipped as another's."""
    return (
        Problem.objects.select_for_update(of=("self",), skip_locked=True)
        .filter(duty__fire_at__lte=now, duty__quarantined_at__isnull=True)
        .order_by("duty__fire_at", "duty__problem_id")
    )


def fire_duty(*, problem_id: int, now: datetime) -> bool:
    """Fire the duty of one problem when it is due. False when it is not (any more): every stop
    condition is checked again under the lock."""
    with transaction.atomic():
        problem = (
            Problem.objects.select_for_update(of=("self",))
            .select_related("worker__site__calendar", "site__calendar", "account", "owner__calendar")
            .get(pk=problem_id)
        )
        duty = Duty.objects.select_related("accountable__calendar").filter(problem=problem).first()
        if duty is None or not is_due(problem, duty, now):
            return False
        proposal = current_proposal(problem)
        if proposal is not None and proposal.next_ask_at is not None and proposal.next_ask_at <= now:
            duty = _ask_again(problem, duty=duty, proposal=proposal, now=now)
        if duty.rung_at is not None and duty.rung_at <= now:
            duty = _climb(problem, duty=duty, now=now)
        rearm(duty=duty, rung_at=duty.rung_at, next_ask_at=proposal.next_ask_at if proposal else None)
        if duty.fire_at <= now:
            # It would fire again at once and for ever; better put aside, where people see it.
            raise SentinelError(f"firing left the timer of problem {problem.pk} at {duty.fire_at}")
        return True


def is_due(problem: Problem, duty: Duty, now: datetime) -> bool:
    """Every condition that stops a firing, to be looked at again once the problem's row is ours."""
    return problem.is_open and duty.quarantined_at is None and duty.fire_at <= now


def _climb(problem: Problem, *, duty: Duty, now: datetime) -> Duty:
    is_missed_promise = duty.kind == DutyKind.SOLVE.value and miss_promise(problem, now=now)
    position = position_of(problem, duty=duty, policy=policy_of(problem), now=now)
    taken = next_step(position=position, now=now)
    before = duty.accountable
    climb(duty, taken=taken, now=now)
    news = news_of(duty, taken=taken, is_missed_promise=is_missed_promise)
    told = tell_users(problem, users=taken.people, duty=duty, news=news, now=now)
    for entry in entries_of(problem, duty=duty, taken=taken, before=before, told=told, now=now):
        record_event(verb=entry.verb, at=now, actor=ENGINE, about=entry.about, data=entry.data)
    return duty


def _ask_again(problem: Problem, *, duty: Duty, proposal: Proposal, now: datetime) -> Duty:
    """Ask the worker once more; with the ask-by-call step (or without a working address) by telephone."""
    policy = policy_of(problem)
    proposal.asks += 1
    proposal.next_ask_at = next_ask(
        policy=policy,
        asks=proposal.asks,
        proposed_at=proposal.at,
        calendar=calendar_of_site(problem.site),
        now=now,
    )
    proposal.save(update_fields=["asks", "next_ask_at"])
    is_call = problem.may_call and (
        is_ask_by_call(policy=policy, asks=proposal.asks) or not mail_reaches(problem)
    )
    if duty.kind == DutyKind.ASK.value:
        if is_call:
            duty = _owe_ask_by_call(problem, duty=duty, now=now)
        else:
            duty.due_at = proposal.next_ask_at
    is_table_through = proposal.asks > len(policy.ask_again_after_days) + 1
    is_asked_by_check_in = is_table_through and _check_in_asks(problem, now=now)
    if not is_asked_by_check_in:
        _mail_ask(problem, duty=duty, proposal=proposal, is_call=is_call, now=now)
    by = "call" if is_call else ("check-in" if is_asked_by_check_in else "mail")
    record_event(
        verb=Verb.CONFIRMATION_ASKED,
        at=now,
        actor=ENGINE,
        about=about_problem(problem),
        data={"ask": proposal.asks, "by": by, "next_at": proposal.next_ask_at.isoformat()},
    )
    return duty


def _owe_ask_by_call(problem: Problem, *, duty: Duty, now: datetime) -> Duty:
    duty = owe_fresh_call(problem, accountable=duty.accountable, now=now)
    news = News(reason=Reason.DUE, key=f"duty:{problem.pk}:{duty.generation}:due", rung=duty.rung)
    tell_users(problem, users=(duty.accountable,), duty=duty, news=news, now=now)
    return duty


def _mail_ask(problem: Problem, *, duty: Duty, proposal: Proposal, is_call: bool, now: datetime) -> None:
    mail = ask(
        AskFacts(
            head=letterhead(problem, person=duty.accountable, now=now),
            proposal_id=proposal.pk,
            what_was_done=proposal.what_was_done,
            proposed_at=proposal.at,
            ask_number=proposal.asks,
            call_by=duty.due_at if is_call else None,
        )
    )
    mail_worker(problem, kind="problem.ask_again", mail=mail, key=f"{proposal.pk}:{proposal.asks}", now=now)


def _check_in_asks(problem: Problem, *, now: datetime) -> bool:
    """Whether the regular check-in has asked about this problem lately, or is about to."""
    lately = now - timedelta(days=28)
    rows = CheckIn.objects.filter(worker_id=problem.worker_id, about_problem_id=problem.pk)
    return rows.filter(sent_at__gte=lately).exists() or rows.filter(state=CheckInState.PLANNED.value).exists()
