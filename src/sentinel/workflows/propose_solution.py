"""A user says it is solved. That closes nothing: it asks the worker."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from sentinel.people.models import User
from sentinel.problems.messages import AskFacts, ask
from sentinel.problems.models import Proposal
from sentinel.problems.rules import ProblemState
from sentinel.problems.services import change_state, store_proposal
from sentinel.timeline.services import record_event
from sentinel.timeline.verbs import Verb
from sentinel.workflows.acting import about_problem, lock_for_user, user_actor
from sentinel.workflows.duties import duty_of, owe_answer, who_answers_after
from sentinel.workflows.letters import letterhead, mail_worker


def propose_solution(
    *, problem_id: int, user: User, what_was_done: str, root_cause: str, now: datetime
) -> Proposal:
    """Propose that it is solved, with what was done and the root cause; the worker is asked at once and
    then again until they answer."""
    with transaction.atomic():
        problem = lock_for_user(problem_id=problem_id, user=user, now=now)
        change_state(problem, ProblemState.PROPOSED)
        problem.proposed_at = now
        problem.save(update_fields=["state", "proposed_at"])
        proposal = store_proposal(
            problem=problem, user=user, what_was_done=what_was_done, root_cause=root_cause, now=now
        )
        accountable = who_answers_after(duty_of(problem), actor=user)
        duty = owe_answer(problem, accountable=accountable, proposal=proposal, now=now)
        record_event(
            verb=Verb.PROPOSAL_MADE,
            at=now,
            actor=user_actor(user),
            about=about_problem(problem),
            data={
                "what_was_done": proposal.what_was_done,
                "root_cause": proposal.root_cause,
                "ask_again_at": duty.due_at.isoformat(),
            },
        )
        mail = ask(
            AskFacts(
                head=letterhead(problem, person=user, now=now),
                proposal_id=proposal.pk,
                what_was_done=proposal.what_was_done,
                proposed_at=now,
            )
        )
        mail_worker(problem, kind="problem.ask", mail=mail, key=f"{proposal.pk}:1", now=now)
        return proposal
