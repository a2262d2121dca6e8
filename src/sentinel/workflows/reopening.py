"""Back with more heat: the worker said no, objected, or it came back. Runs in the caller's transaction."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sentinel.accounts.services.reachability import mark_back
from sentinel.escalation.messages import Reason
from sentinel.escalation.models import Duty
from sentinel.escalation.selectors import accountable_for, people_on, policy_of
from sentinel.outbox.services import cancel_pending
from sentinel.people.models import User
from sentinel.problems.messages import ReopenedFacts, reopened_receipt
from sentinel.problems.models import Problem
from sentinel.problems.services import reopen
from sentinel.timeline.selectors import events_of_problem
from sentinel.timeline.services import Actor, record_event
from sentinel.timeline.verbs import ActorKind, Verb
from sentinel.workflows.acting import about_problem
from sentinel.workflows.duties import owe_fresh_call
from sentinel.workflows.letters import letterhead, mail_worker
from sentinel.workflows.notices import News, tell_users
from sentinel.workflows.promises import miss_promise_if_over


def reopen_problem(
    problem: Problem, *, reason: Reason, words: str, actor: Actor, note: str = "", now: datetime
) -> None:
    """Reopen: attention grows, the ladder keeps its position (everybody it had reached hears of it), and
    a call is owed at once to find out what is still wrong. ``note``: what came with the words."""
    standing: Duty | None = Duty.objects.select_related("accountable").filter(problem=problem).first()
    # A closed problem has no duty any more; where its ladder stood is in the timeline.
    rung = standing.rung if standing else _rung_before_end(problem)
    reopen(problem=problem)
    # Before the first event: an engine that reports a failed message holds its rows and waits for the stream.
    cancel_pending(now=now, problem_id=problem.pk)
    miss_promise_if_over(problem, now=now)
    if actor.kind is ActorKind.WORKER and problem.worker.away_until is not None:
        mark_back(worker_id=problem.worker_id)  # whoever says so is there, whatever an absence note said
    accountable: User = (
        standing.accountable
        if standing
        else accountable_for(owner=problem.owner, account=problem.account, now=now)
    )
    duty = owe_fresh_call(problem, accountable=accountable, now=now)
    if duty.rung != rung:
        duty.rung = rung
        duty.save(update_fields=["rung"])
    event = record_event(
        verb=Verb.CONFIRMATION_OBJECTED if reason is Reason.OBJECTED else Verb.PROBLEM_REOPENED,
        at=now,
        actor=actor,
        about=about_problem(problem),
        data={
            "words": words.strip(),
            "attention": problem.attention,
            "rung": rung,
            "due_at": duty.due_at.isoformat(),
        },
    )
    news = News(reason=reason, key=f"event:{event.pk}", new_words=words.strip(), note=note, rung=duty.rung)
    _tell(problem, duty=duty, news=news, now=now)
    receipt = reopened_receipt(
        ReopenedFacts(
            head=letterhead(problem, person=accountable, now=now),
            call_by=duty.due_at if problem.may_call else None,
            new_words=words.strip(),
        )
    )
    mail_worker(problem, kind="problem.reopened_receipt", mail=receipt, key=str(event.pk), now=now)


def _tell(problem: Problem, *, duty: Duty, news: News, now: datetime) -> None:
    """Everybody hears of it whom the ladder had reached: its rung's audience, the owner, who answers."""
    reached = [r for r in policy_of(problem).rungs if r.position <= duty.rung][-1]
    audience = people_on(
        audience=reached.audience,
        account=problem.account,
        owner=problem.owner,
        accountable=duty.accountable,
        now=now,
    )
    tell_users(
        problem,
        users=(duty.accountable, problem.owner, *audience),
        duty=duty,
        news=replace(news, breaks_quiet_hours=reached.breaks_quiet_hours),
        now=now,
    )


def _rung_before_end(problem: Problem) -> int:
    fired = events_of_problem(problem.pk).filter(verb=Verb.DUTY_FIRED.value).values_list("data", flat=True)
    return max((int(data.get("rung", 0)) for data in fired), default=0)
