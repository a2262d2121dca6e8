"""The worker's verdict on a proposal: the only way to ``confirmed`` (L6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from sentinel.escalation.messages import Reason
from sentinel.escalation.services import clear_duty
from sentinel.kernel.errors import NotFound
from sentinel.outbox.services import cancel_pending
from sentinel.problems.doubts import contradicts
from sentinel.problems.errors import HumanEvidenceMissing
from sentinel.problems.models import Confirmation, Problem, Proposal
from sentinel.problems.rules import REOPENINGS_A_DAY, How, ProblemState, Verdict
from sentinel.problems.selectors import reopenings_since
from sentinel.problems.services import close_confirmed, lock_problem, store_confirmation
from sentinel.timeline.retrying import again_after_collision
from sentinel.timeline.services import Actor, record_event
from sentinel.timeline.verbs import Verb
from sentinel.workflows.acting import about_problem, worker_actor
from sentinel.workflows.notices import News, tell_users
from sentinel.workflows.promises import judge_promise
from sentinel.workflows.reopening import reopen_problem
from sentinel.workflows.worker_words import join_words


@dataclass(frozen=True, kw_only=True)
class VerdictRecorded:
    """Where the problem stands now. ``doubted``: nothing changed, ask once more. ``already``: the
    proposal had been answered before; nothing changed."""

    state: ProblemState
    doubted: bool = False
    already: bool = False


@again_after_collision
def record_verdict(
    *,
    proposal_id: int,
    verdict: Verdict,
    words: str = "",
    human: bool,
    after_doubt: bool = False,
    how: How = How.LINK,
    note: str = "",
    now: datetime,
) -> VerdictRecorded:
    """Record the worker's own answer. ``human``: it carries human evidence (section on links).
    ``note``: what came with the words, such as pictures.

    A yes whose words say no is asked once more (``doubted``); the second yes counts.
    """
    found = Proposal.objects.filter(pk=proposal_id).values_list("problem_id", flat=True).first()
    if found is None:
        raise NotFound("proposal_unknown", "There is no such question.")
    if not human:
        raise HumanEvidenceMissing
    with transaction.atomic():
        problem = lock_problem(found)
        proposal = Proposal.objects.select_for_update().get(pk=proposal_id)
        if proposal.settled_at is not None or ProblemState(problem.state) is not ProblemState.PROPOSED:
            return VerdictRecorded(state=ProblemState(problem.state), already=True)
        if verdict is Verdict.NO:
            return _no(problem, proposal=proposal, words=words, how=how, note=note, now=now)
        if contradicts(words) and not after_doubt:
            return _doubt(problem, proposal=proposal, words=words, now=now)
        said = words or (proposal.doubted_words if after_doubt else "")
        confirmation = store_confirmation(
            proposal=proposal, verdict=Verdict.YES, how=how, words=said, now=now
        )
        close(problem, confirmation=confirmation, actor=worker_actor(problem.worker), now=now)
        return VerdictRecorded(state=ProblemState.CONFIRMED)


def close(problem: Problem, *, confirmation: Confirmation, actor: Actor, now: datetime) -> None:
    """Close on the worker's yes: no duty, nothing pending goes out, the owner hears the good news."""
    accountable = problem.duty.accountable
    close_confirmed(problem=problem, confirmation=confirmation, now=now)
    # Before the first event: an engine that reports a failed message holds its rows and waits for the stream.
    cancel_pending(now=now, problem_id=problem.pk)
    judge_promise(problem, proposed_at=confirmation.proposal.at, now=now)
    clear_duty(problem=problem)
    verb = (
        Verb.CONFIRMATION_RECORDED_BY_TELEPHONE
        if confirmation.how == How.TELEPHONE.value
        else Verb.PROBLEM_CONFIRMED
    )
    event = record_event(
        verb=verb, at=now, actor=actor, about=about_problem(problem), data={"words": confirmation.words}
    )
    tell_users(
        problem,
        users=(problem.owner, accountable),
        duty=None,
        news=News(reason=Reason.CONFIRMED, key=f"event:{event.pk}", new_words=confirmation.words),
        now=now,
    )


def _doubt(problem: Problem, *, proposal: Proposal, words: str, now: datetime) -> VerdictRecorded:
    proposal.doubted_at = now
    proposal.doubted_words = words.strip()
    proposal.save(update_fields=["doubted_at", "doubted_words"])
    record_event(
        verb=Verb.CONFIRMATION_DOUBTED,
        at=now,
        actor=worker_actor(problem.worker),
        about=about_problem(problem),
        data={"words": words.strip()},
    )
    return VerdictRecorded(state=ProblemState.PROPOSED, doubted=True)


def _no(
    problem: Problem, *, proposal: Proposal, words: str, how: How, note: str, now: datetime
) -> VerdictRecorded:
    if reopenings_since(problem, now - timedelta(days=1)) >= REOPENINGS_A_DAY:
        join_words(problem=problem, words=words, note=note, now=now)
        return VerdictRecorded(state=ProblemState.PROPOSED, already=True)
    store_confirmation(proposal=proposal, verdict=Verdict.NO, how=how, words=words, now=now)
    actor = worker_actor(problem.worker)
    reopen_problem(problem, reason=Reason.REOPENED, words=words, actor=actor, note=note, now=now)
    return VerdictRecorded(state=ProblemState.REOPENED)
