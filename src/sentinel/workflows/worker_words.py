"""What the worker adds to their own problem: words, call wishes, "I want to talk to the manager"."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from sentinel.escalation.messages import Reason
from sentinel.escalation.rules import Audience, DutyKind
from sentinel.escalation.selectors import officer_for, policy_of
from sentinel.kernel.errors import Conflict, Refused
from sentinel.people.models import User
from sentinel.problems.errors import HumanEvidenceMissing
from sentinel.problems.models import Problem
from sentinel.problems.rules import ProblemState
from sentinel.problems.services import lock_problem
from sentinel.timeline.retrying import again_after_collision
from sentinel.timeline.selectors import events_of_problem
from sentinel.timeline.services import Actor, record_event
from sentinel.timeline.verbs import Verb
from sentinel.workflows.acting import about_problem, worker_actor
from sentinel.workflows.duties import duty_of, owe_call, owe_fresh_call, owe_promise
from sentinel.workflows.notices import News, tell_users

#: A worker's words reach people at most so often an hour; the rest is kept and read all the same.
NOTICES_AN_HOUR = 6


def join_words(
    *, problem: Problem, words: str, note: str = "", actor: Actor | None = None, now: datetime
) -> None:
    """Words of the worker join their problem; whoever is accountable hears of it. Inside a transaction,
    with the problem locked.

    ``note``: what came with them, such as pictures. ``actor``: a user who entered them for the worker.
    """
    said = words.strip()
    if not said and not note:
        return
    recent = events_of_problem(problem.pk).filter(
        verb=Verb.WORKER_WROTE.value, at__gt=now - timedelta(hours=1)
    )
    is_loud = recent.count() < NOTICES_AN_HOUR
    event = record_event(
        verb=Verb.WORKER_WROTE,
        at=now,
        actor=actor or worker_actor(problem.worker),
        about=about_problem(problem),
        data={"words": said, "note": note} if note else {"words": said},
    )
    if is_loud:
        duty = duty_of(problem) if problem.is_open else None
        tell_users(
            problem,
            users=(problem.owner, *((duty.accountable,) if duty else ())),
            duty=duty,
            news=News(reason=Reason.WORKER_WROTE, key=f"event:{event.pk}", new_words=said, note=note),
            now=now,
        )


@again_after_collision
def add_worker_words(*, problem_id: int, words: str, now: datetime) -> None:
    """The worker writes on the page of their problem. Typed words are human evidence by themselves."""
    with transaction.atomic():
        problem = lock_problem(problem_id)
        if not words.strip():
            raise Refused("words_empty", "Please write something first.")
        join_words(problem=problem, words=words, now=now)


@again_after_collision
def update_call_wishes(
    *, problem_id: int, may_call: bool, number: str, when: str, language: str, now: datetime
) -> None:
    """The worker says whether, where, when and in which language to call about this problem."""
    with transaction.atomic():
        problem = lock_problem(problem_id)
        if not problem.is_open:
            raise Conflict("problem_closed", "This problem is closed.")
        before = (problem.may_call, problem.call_number, problem.call_when, problem.call_language)
        after = (may_call, number.strip(), when.strip(), language)
        if before == after:
            return
        problem.may_call, problem.call_number, problem.call_when, problem.call_language = after
        problem.save(update_fields=["may_call", "call_number", "call_when", "call_language"])
        duty = duty_of(problem)
        if ProblemState(problem.state) is not ProblemState.PROPOSED:
            if not may_call and duty.kind == DutyKind.CALL.value:
                duty = owe_promise(problem, accountable=duty.accountable, now=now)
            elif may_call and not before[0] and ProblemState(problem.state) is ProblemState.ACKNOWLEDGED:
                duty = owe_call(problem, accountable=duty.accountable, now=now)
        event = record_event(
            verb=Verb.PROBLEM_DETAILED,
            at=now,
            actor=worker_actor(problem.worker),
            about=about_problem(problem),
            data={"may_call": may_call, "when": problem.call_when, "language": language},
        )
        wishes = "; ".join(
            part for part in ("please call" if may_call else "please do not call", problem.call_when) if part
        )
        tell_users(
            problem,
            users=(duty.accountable,),
            duty=duty,
            news=News(reason=Reason.WORKER_WROTE, key=f"event:{event.pk}", note=wishes),
            now=now,
        )


@again_after_collision
def ask_for_manager(*, problem_id: int, words: str = "", human: bool, now: datetime) -> None:
    """The worker wants to talk to the manager: the manager owes the call now, and the ladder stands at
    least on the manager's rung."""
    if not human and not words.strip():
        raise HumanEvidenceMissing
    with transaction.atomic():
        problem = lock_problem(problem_id)
        if not problem.is_open:
            raise Conflict("problem_closed", "This problem is closed. If it came back, please tell us so.")
        manager = _manager_of(problem, now=now)
        duty = duty_of(problem)
        if duty.accountable_id == manager.pk and duty.kind == DutyKind.CALL.value:
            join_words(problem=problem, words=words, now=now)
            return
        duty = owe_fresh_call(problem, accountable=manager, now=now)
        wanted = next(
            (r.position for r in policy_of(problem).rungs if Audience.MANAGER in r.audience), duty.rung
        )
        if duty.rung < wanted:
            duty.rung = wanted
            duty.save(update_fields=["rung"])
        event = record_event(
            verb=Verb.MANAGER_ASKED_FOR,
            at=now,
            actor=worker_actor(problem.worker),
            about=about_problem(problem),
            data={"words": words.strip(), "manager": str(manager), "due_at": duty.due_at.isoformat()},
        )
        tell_users(
            problem,
            users=(manager, problem.owner),
            duty=duty,
            news=News(
                reason=Reason.MANAGER_WANTED, key=f"event:{event.pk}", new_words=words.strip(), rung=duty.rung
            ),
            now=now,
        )


def _manager_of(problem: Problem, *, now: datetime) -> User:
    return (
        problem.account.manager or problem.owner.manager or officer_for(problem.account, now) or problem.owner
    )
