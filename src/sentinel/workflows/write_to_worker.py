"""A user writes to the worker. For a worker who wants no call, this is the contact."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from sentinel.kernel.errors import Refused
from sentinel.people.models import User
from sentinel.problems.messages import WrittenFacts, written
from sentinel.problems.rules import ProblemState
from sentinel.problems.services import change_state
from sentinel.timeline.services import record_event
from sentinel.timeline.verbs import Verb
from sentinel.workflows.acting import about_problem, lock_for_user, user_actor
from sentinel.workflows.duties import duty_of, owe_promise, who_answers_after
from sentinel.workflows.letters import letterhead, mail_worker


def write_to_worker(*, problem_id: int, user: User, text: str, now: datetime) -> None:
    """Mail a text to the worker. Refused without text or without a working address."""
    with transaction.atomic():
        problem = lock_for_user(problem_id=problem_id, user=user, now=now)
        if not text.strip():
            raise Refused("letter_empty", "Write something to the worker first.")
        event = record_event(
            verb=Verb.RESPONSE_ANSWERED,
            at=now,
            actor=user_actor(user),
            about=about_problem(problem),
            data={"text": text.strip()},
        )
        mail = written(WrittenFacts(head=letterhead(problem, person=user, now=now), text=text.strip()))
        if not mail_worker(problem, kind="problem.written", mail=mail, key=str(event.pk), now=now):
            raise Refused("worker_unreachable", "This worker has no working e-mail address; please call.")
        state = ProblemState(problem.state)
        if not problem.may_call and state in (
            ProblemState.REPORTED,
            ProblemState.ACKNOWLEDGED,
            ProblemState.REOPENED,
        ):
            duty = duty_of(problem)
            change_state(problem, ProblemState.IN_CONTACT)
            problem.contacted_at = problem.contacted_at or now
            problem.acknowledged_at = problem.acknowledged_at or now
            problem.save(update_fields=["state", "contacted_at", "acknowledged_at"])
            owe_promise(problem, accountable=who_answers_after(duty, actor=user), now=now)
