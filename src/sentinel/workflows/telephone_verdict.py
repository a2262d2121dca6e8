"""A verdict said on the telephone, recorded by a user: flagged, and open to a one-click objection (L6)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from sentinel.escalation.messages import Reason
from sentinel.kernel.errors import Conflict, NotFound, Refused
from sentinel.people.models import User
from sentinel.problems.errors import HumanEvidenceMissing
from sentinel.problems.messages import TelephoneFacts, confirmed_by_telephone
from sentinel.problems.models import Call, Confirmation
from sentinel.problems.rules import CallOutcome, How, ProblemState, Verdict
from sentinel.problems.services import current_proposal, lock_problem, store_confirmation
from sentinel.workflows.acting import lock_for_user, user_actor, worker_actor
from sentinel.workflows.letters import letterhead, mail_worker
from sentinel.workflows.record_verdict import close
from sentinel.workflows.reopening import reopen_problem
from sentinel.workflows.worker_words import join_words


def record_verdict_by_telephone(
    *, problem_id: int, user: User, call_id: int, verdict: Verdict, words: str = "", now: datetime
) -> Confirmation:
    """Record what the worker said in a call that reached them.

    A yes closes and mails the worker an objection link; without a working address it is refused,
    because nobody could object.
    """
    with transaction.atomic():
        problem = lock_for_user(problem_id=problem_id, user=user, now=now)
        call = Call.objects.filter(pk=call_id, problem=problem).first()
        if call is None or call.outcome != CallOutcome.REACHED.value:
            raise Refused("call_needed", "First log the call in which the worker said so.")
        proposal = current_proposal(problem)
        if proposal is None or ProblemState(problem.state) is not ProblemState.PROPOSED:
            raise Conflict("not_proposed", "Propose the solution first; then the worker can confirm it.")
        if call.at < proposal.at:
            raise Refused("call_before_proposal", "That call was before the solution was proposed.")
        confirmation = store_confirmation(
            proposal=proposal,
            verdict=verdict,
            how=How.TELEPHONE,
            words=words,
            now=now,
            recorded_by=user,
            call=call,
        )
        if verdict is Verdict.NO:
            reopen_problem(problem, reason=Reason.REOPENED, words=words, actor=user_actor(user), now=now)
            return confirmation
        close(problem, confirmation=confirmation, actor=user_actor(user), now=now)
        mail = confirmed_by_telephone(
            TelephoneFacts(
                head=letterhead(problem, person=user, now=now),
                confirmation_id=confirmation.pk,
                said_at=call.at,
                what_was_done=proposal.what_was_done,
            )
        )
        kind = "problem.confirmed_by_telephone"
        if not mail_worker(problem, kind=kind, mail=mail, key=str(confirmation.pk), now=now):
            raise Refused(
                "worker_unreachable",
                "This worker has no working e-mail address and could not object; repair the address first.",
            )
        return confirmation


def object_to_confirmation(
    *, confirmation_id: int, words: str = "", human: bool, note: str = "", now: datetime
) -> bool:
    """The worker says: I did not confirm that. Reopens with more heat. False when it was reopened before."""
    if not human and not words.strip():
        raise HumanEvidenceMissing
    found = (
        Confirmation.objects.filter(pk=confirmation_id).values_list("proposal__problem_id", flat=True).first()
    )
    if found is None:
        raise NotFound("confirmation_unknown", "There is no such confirmation.")
    with transaction.atomic():
        problem = lock_problem(found)
        confirmation = Confirmation.objects.select_for_update().get(pk=confirmation_id)
        if problem.closing_confirmation_id != confirmation.pk:
            join_words(problem=problem, words=words, note=note, now=now)
            return False
        # The problem lets go of the confirmation first: an objected one can close nothing.
        actor = worker_actor(problem.worker)
        reopen_problem(problem, reason=Reason.OBJECTED, words=words, actor=actor, note=note, now=now)
        confirmation.objected_at = now
        confirmation.save(update_fields=["objected_at"])
        return True


def report_again(*, problem_id: int, words: str = "", human: bool, note: str = "", now: datetime) -> bool:
    """The worker says that a closed problem came back. False when it is open already (words join it).
    ``note``: what came with the words, such as pictures."""
    if not human and not words.strip():
        raise HumanEvidenceMissing
    with transaction.atomic():
        problem = lock_problem(problem_id)
        if problem.is_open:
            join_words(problem=problem, words=words, note=note, now=now)
            return False
        actor = worker_actor(problem.worker)
        reopen_problem(problem, reason=Reason.CAME_BACK, words=words, actor=actor, note=note, now=now)
        return True
