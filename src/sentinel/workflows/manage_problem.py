"""What users do around a problem: hand it over, end it, note something, plan it anew."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from sentinel.accounts.selectors import calendar_of_site
from sentinel.escalation.messages import Reason
from sentinel.escalation.rules import DutyKind, acknowledge_due, next_ask
from sentinel.escalation.selectors import heat_of, hours_for, policy_of
from sentinel.escalation.services import clear_duty, freeze_policy, set_duty
from sentinel.kernel.errors import Conflict, Refused
from sentinel.outbox.selectors import messages_about_problem
from sentinel.outbox.services import cancel_pending
from sentinel.people.models import User
from sentinel.people.rules import Role
from sentinel.problems.models import Problem
from sentinel.problems.rules import EndFacts, EndReason
from sentinel.problems.selectors import may_end
from sentinel.problems.services import close_ended, current_proposal
from sentinel.timeline.services import record_event
from sentinel.timeline.verbs import Verb
from sentinel.workflows.acting import about_problem, lock_for_user, user_actor
from sentinel.workflows.duties import duty_of, give_duty, owe_answer, owe_fresh_call, owe_promise
from sentinel.workflows.notices import News, tell_users


def hand_over(*, problem_id: int, user: User, to_id: int, note: str = "", now: datetime) -> None:
    """Give the problem to another owner. The duty goes with it; the new owner gets at least the time to
    acknowledge in their own hours, and the ladder keeps its position."""
    with transaction.atomic():
        problem = lock_for_user(problem_id=problem_id, user=user, now=now)
        if not problem.is_open:
            raise Conflict("problem_closed", "This problem is closed.")
        to = User.objects.select_related("calendar").filter(pk=to_id, is_active=True).first()
        if to is None or not to.has_role(Role.OWNER, Role.MANAGER, Role.OFFICER, Role.EXECUTIVE):
            raise Refused("hand_over_to", "Choose somebody who can own problems.")
        before = problem.owner
        if to.pk == before.pk and duty_of(problem).accountable_id == to.pk:
            raise Refused("hand_over_same", f"{to} has it already.")
        problem.owner = to
        problem.save(update_fields=["owner"])
        duty = give_duty(problem, duty=duty_of(problem), to=to, now=now)
        event = record_event(
            verb=Verb.PROBLEM_HANDED_OVER,
            at=now,
            actor=user_actor(user),
            about=about_problem(problem, user=to),
            data={"from": str(before), "to": str(to), "note": note.strip()},
        )
        tell_users(
            problem,
            users=(to,),
            duty=duty,
            news=News(reason=Reason.HANDED_OVER, key=f"event:{event.pk}", note=note.strip(), rung=duty.rung),
            now=now,
        )


def end_facts(problem: Problem, *, user: User, note: str, now: datetime) -> EndFacts:
    """What is on record for ending this problem."""
    mails = [
        m
        for m in messages_about_problem(problem.pk)
        if m.recipient_kind == "worker" and m.channel == "email" and m.state in ("accepted", "delivered")
    ]
    return EndFacts(
        is_manager=may_end(user, problem, now),
        has_reason=bool(note.strip()),
        call_attempts=problem.calls.count(),
        mails_sent=len(mails),
    )


def end_problem(*, problem_id: int, user: User, reason: EndReason, note: str, now: datetime) -> None:
    """End without the worker's yes: a manager, a reason, two call attempts and two mails on record.
    Never counted as solved."""
    with transaction.atomic():
        problem = lock_for_user(problem_id=problem_id, user=user, now=now)
        facts = end_facts(problem, user=user, note=note, now=now)
        close_ended(problem=problem, user=user, reason=reason, note=note, facts=facts, now=now)
        clear_duty(problem=problem)
        cancel_pending(now=now, problem_id=problem.pk)
        record_event(
            verb=Verb.PROBLEM_ENDED,
            at=now,
            actor=user_actor(user),
            about=about_problem(problem),
            data={"reason": reason.value, "note": note.strip()},
        )


def add_note(*, problem_id: int, user: User, text: str, now: datetime) -> None:
    """A note for colleagues; the worker never sees it."""
    with transaction.atomic():
        problem = lock_for_user(problem_id=problem_id, user=user, now=now)
        if not text.strip():
            raise Refused("note_empty", "Write the note first.")
        record_event(
            verb=Verb.PROBLEM_NOTED,
            at=now,
            actor=user_actor(user),
            about=about_problem(problem),
            data={"text": text.strip()},
        )


def replan_problem(*, problem_id: int, user: User, reason: str, now: datetime) -> None:
    """Put the account's present ladder in force for this problem, on purpose (L10). Due times that the
    policy sets are counted anew from now; a promise stands."""
    with transaction.atomic():
        problem = lock_for_user(problem_id=problem_id, user=user, now=now)
        if not problem.is_open:
            raise Conflict("problem_closed", "This problem is closed.")
        if not reason.strip():
            raise Refused("replan_reason", "Say why the plan changes.")
        policy = freeze_policy(problem=problem, now=now)
        duty = duty_of(problem)
        match DutyKind(duty.kind):
            case DutyKind.ACKNOWLEDGE:
                hours = hours_for(kind=DutyKind.ACKNOWLEDGE, accountable=duty.accountable, site=problem.site)
                due = acknowledge_due(policy=policy, heat=heat_of(problem), hours=hours, now=now)
                set_duty(
                    problem=problem,
                    kind=DutyKind.ACKNOWLEDGE,
                    accountable=duty.accountable,
                    due_at=due,
                    now=now,
                )
            case DutyKind.CALL:
                owe_fresh_call(problem, accountable=duty.accountable, now=now)
            case DutyKind.PROMISE:
                owe_promise(problem, accountable=duty.accountable, now=now)
            case DutyKind.ASK:
                _replan_ask(problem, accountable=duty.accountable, now=now)
            case DutyKind.SOLVE:
                pass
        record_event(
            verb=Verb.PROBLEM_REPLANNED,
            at=now,
            actor=user_actor(user),
            about=about_problem(problem),
            data={"reason": reason.strip(), "ladder": problem.policy.ladder_name},
        )


def _replan_ask(problem: Problem, *, accountable: User, now: datetime) -> None:
    proposal = current_proposal(problem)
    if proposal is None:
        return
    proposal.next_ask_at = next_ask(
        policy=policy_of(problem),
        asks=proposal.asks,
        proposed_at=proposal.at,
        calendar=calendar_of_site(problem.site),
        now=now,
    )
    proposal.save(update_fields=["next_ask_at"])
    owe_answer(problem, accountable=accountable, proposal=proposal, now=now)
